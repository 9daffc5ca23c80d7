// Pages the sections of a deck: what does not fit on one slide goes on to the next, under the same heading; what is
// larger than a slide by itself is made smaller. Runs when the formulas are set, for their heights count.
"use strict";

const ROOM = { width: 1152, height: 636 }; // of a slide inside its margins, in pixels
const SMALLEST = 0.6; // to which a block that is larger than a slide may shrink; smaller is hard to read

const PICTURE = { width: 1150, height: 500 }; // room of a picture, in pixels
const LARGEST = 1.5; // to which a picture may grow; larger is blurred
const SHRUNK = 0.6; // to which a picture may shrink to stay below its words; smaller is hard to read

const height = (section) => {
  const nodes = [...section.children];
  if (nodes.length === 0) return 0;
  return nodes[nodes.length - 1].getBoundingClientRect().bottom - section.getBoundingClientRect().top - 42;
};

/** Wrap loose text and inline elements so that every child of a section is a block. */
function blocksOf(section) {
  return [...section.childNodes].filter((node) => node.nodeType === 1 || node.textContent.trim());
}

const heading = (node) => /^H[12]$/.test(node.tagName || "");

/** Whether a block belongs to the next one: a line that ends in a colon, folded code, code that draws a picture. */
function leadsOn(node, next) {
  if (node.tagName === "P") return /[:,]\s*$/.test(node.textContent);
  return node.classList.contains("folded") || (node.classList.contains("code") && next.tagName === "IMG");
}

/** Pictures are drawn for a page; on a slide they grow as far as there is room. */
function enlarge(image) {
  const scale = Math.min(LARGEST, PICTURE.width / image.naturalWidth, PICTURE.height / image.naturalHeight);
  image.style.width = `${scale * image.naturalWidth}px`;
}

/** A block alone that is too large shrinks to fit. */
function shrink(section, block) {
  for (let scale = 0.95; scale >= SMALLEST && (height(section) > ROOM.height || block.scrollWidth > ROOM.width); scale -= 0.05) {
    block.style.zoom = scale;
  }
}

/** A picture that just does not fit below its words shrinks into the room that is left; says whether it did. */
function squeeze(section, block) {
  if (block.tagName !== "IMG") return false;
  const { width, height: tall } = block.getBoundingClientRect();
  const scale = (ROOM.height - (height(section) - tall)) / tall;
  if (scale < SHRUNK) return false;
  block.style.width = `${Math.floor(scale * width)}px`;
  return height(section) <= ROOM.height;
}

function page(section) {
  const blocks = blocksOf(section);
  const title = heading(blocks[0]) ? blocks.shift() : null;
  section.replaceChildren(...(title ? [title] : []));
  let current = section;
  let number = 1;
  const turn = () => {
    const next = document.createElement("section");
    number += 1;
    if (title) {
      const again = document.createElement("h2");
      again.innerHTML = `${title.innerHTML} <small>${number}</small>`;
      next.append(again);
    }
    current.after(next);
    current = next;
  };
  const isEmpty = () => [...current.children].every((node) => heading(node));
  blocks.forEach((block) => {
    current.append(block);
    if (height(current) <= ROOM.height || squeeze(current, block)) return;
    if (!isEmpty() && current.children.length > (title ? 2 : 1)) {
      // What leads on to a block goes with it, unless it is all that stands there.
      const carried = [block];
      for (let before = block.previousElementSibling; before && leadsOn(before, carried[0]); before = before.previousElementSibling) {
        if (!before.previousElementSibling || heading(before.previousElementSibling)) break;
        carried.unshift(before);
      }
      carried.forEach((node) => node.remove());
      turn();
      current.append(...carried);
    }
    if (height(current) > ROOM.height) shrink(current, block);
  });
}

MathJax.startup.promise.then(async () => {
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  [...document.images].forEach(enlarge);
  const slides = document.querySelector(".slides");
  document.body.classList.add("paging"); // shows all sections, which reveal.css hides
  [...slides.children].forEach(page);
  document.body.classList.remove("paging");
  await Reveal.initialize({
    width: 1280, height: 720, margin: 0, center: false, hash: true, transition: "none", slideNumber: "c/t", pdfSeparateFragments: false,
  });
  document.body.dataset.ready = "yes";
});
