// What the linked views of a page share: which residue is chosen, which is under the mouse.
// Every view is a component of its own; they meet on this one object of the page.
const bus = (window.glassBus ??= Object.assign(new EventTarget(), {selected: null, hovered: null}));

function tell(what, position) {
  if (bus[what] === position) return;
  bus[what] = position;
  bus.dispatchEvent(new CustomEvent(what, {detail: position}));
}

function library(name) {
  // A library arrives by its own component, maybe after this one.
  if (window[name]) return Promise.resolve(window[name]);
  return new Promise((resolve) =>
    bus.addEventListener(`library ${name}`, () => resolve(window[name]), {once: true}));
}

function themeColour(element, name, otherwise) {
  return getComputedStyle(element).getPropertyValue(name).trim() || otherwise;
}
