// The structure in three dimensions: it stays while the page around it changes.
export default function (component) {
  const {data, parentElement, setTriggerValue} = component;
  const root = parentElement.querySelector('.glass-structure');
  root.glassSend = (position) => setTriggerValue('selected', position);
  if (!root.glassScene) root.glassScene = scene(root);
  root.glassScene.show(data);
  return () => root.glassScene.close();
}

const SWITCHES = [
  ['wild', 'Wild type'], ['mutant', 'Mutant'], ['neighbour', 'Neighbour'], ['ligand', 'Ligands'], ['partner', 'Other chains'],
  ['sticks', 'Side chains at the site'], ['contacts', 'Contacts'], ['labels', 'Labels'],
  ['surface', 'Surface'], ['spin', 'Spin'],
];

function scene(root) {
  const stage = root.querySelector('.stage'), bar = root.querySelector('.bar');
  const colourBy = root.querySelector('select.colour');
  const told = root.querySelector('.told');
  const state = {colour: null, wild: true, mutant: true, neighbour: true, ligand: true, partner: true,
    sticks: true, contacts: true, labels: true, surface: false, spin: false};
  let viewer = null, data = null, models = [], surfaceId = null, marker = null, drawn = '',
    newest = null, frame = null;

  const listeners = {selected: () => choose(), hovered: () => tellOf()};
  for (const [name, listener] of Object.entries(listeners)) bus.addEventListener(name, listener);
  colourBy.addEventListener('change', () => { state.colour = colourBy.value; paint(); });
  root.querySelector('.to-site').addEventListener('click', () => zoomTo(data.sites));
  root.querySelector('.to-all').addEventListener('click', whole);
  root.querySelector('.picture').addEventListener('click', picture);

  async function show(next) {
    newest = next;
    const $3Dmol = await library('$3Dmol');
    if (next !== newest) return; // another came while the library was on its way
    if (!viewer) {
      viewer = created($3Dmol);
      if (!viewer) {
        stage.textContent = 'This browser cannot draw in three dimensions (WebGL is missing or switched off).';
        return;
      }
      new ResizeObserver(() => viewer && viewer.resize()).observe(stage);
    }
    viewer.setBackgroundColor(background());
    const now = JSON.stringify(next);
    if (now === drawn) { render(); return; }
    const before = data;
    drawn = now;
    data = next;
    fillColours(before);
    fillSwitches();
    root.classList.toggle('at-site', data.atSite);
    viewer.removeAllModels();
    models = data.models.map((model) => Object.assign(
      viewer.addModel(model.pdb, 'pdb', {keepH: false}), {glass: model}));
    clickable();
    paint();
    // The camera stays while it is the same protein.
    if (!before || before.view !== data.view) whole();
  }

  function created($3Dmol) {
    // Twice the pixels and smoothed edges: where a processor draws, one would wait for them.
    const fine = drawnByGraphicsCard();
    try {
      return $3Dmol.createViewer(stage, {backgroundColor: background(), antialias: fine, upscale: fine, ...(fine ? {} : {cartoonQuality: 5})});
    } catch { return null; }
  }

  function drawnByGraphicsCard() {
    const context = document.createElement('canvas').getContext('webgl');
    const told = context?.getExtension('WEBGL_debug_renderer_info');
    const name = told ? context.getParameter(told.UNMASKED_RENDERER_WEBGL) : '';
    context?.getExtension('WEBGL_lose_context')?.loseContext();
    return !/swiftshader|llvmpipe|softpipe|software/i.test(name);
  }

  function render() { // once for all that changed
    frame ??= requestAnimationFrame(() => { frame = null; viewer?.render(); });
  }

  function background() { return themeColour(root, '--st-background-color', 'white'); }

  function fillColours(before) {
    const names = data.colourings.map((one) => one.name);
    if (!names.includes(state.colour) || (before && before.colour !== data.colour) || !before)
      state.colour = data.colour;
    colourBy.replaceChildren(...data.colourings.map((one) => {
      const option = new Option(one.title, one.name);
      option.selected = one.name === state.colour;
      return option;
    }));
  }

  function fillSwitches() {
    const there = new Set([...data.models.map((model) => model.role === 'rotamer' ? 'mutant' : model.role),
      'surface', 'spin', ...(data.sites.length ? ['sticks', 'labels'] : [])]);
    root.querySelector('.to-site').hidden = !data.sites.length;
    colourBy.parentElement.hidden = data.colourings.length < 2;
    if (data.contacts.length) there.add('contacts');
    if (!there.has('mutant') && !there.has('neighbour')) there.delete('wild');
    root.querySelector('.switches').replaceChildren(...SWITCHES.filter(([name]) => there.has(name))
      .map(([name, words]) => {
        const label = document.createElement('label');
        const box = Object.assign(document.createElement('input'), {type: 'checkbox', checked: state[name]});
        box.addEventListener('change', () => { state[name] = box.checked; paint(); });
        label.append(box, ' ' + words);
        return label;
      }));
  }

  function clickable() {
    const at = (atom) => (models[atom.model]?.glass.numbered ? atom.resi : null);
    viewer.setClickable({}, true, (atom) => {
      const place = at(atom);
      if (place === null) return;
      tell('selected', place);
      root.glassSend(place);
    });
    viewer.setHoverDuration(60);
    viewer.setHoverable({}, true, (atom) => tell('hovered', at(atom)), () => tell('hovered', null));
  }

  function paint() {
    const colouring = data.colourings.find((one) => one.name === state.colour) ?? data.colourings[0];
    viewer.removeAllShapes(); viewer.removeAllLabels();
    marker = null;
    if (surfaceId !== null) { viewer.removeAllSurfaces(); surfaceId = null; }
    const painted = {prop: 'resi', map: Object.fromEntries(colouring.colours.map((c, i) => [i + 1, c]))};
    const mutants = models.some((model) => model.glass.role === 'mutant');
    const several = models.filter((model) => model.glass.role === 'mutant').length > 1;
    for (const model of models) {
      const {role, colour, numbered} = model.glass;
      if (!state[role === 'rotamer' ? 'mutant' : role]) { model.setStyle({}, {}); continue; }
      if (role === 'ligand') { model.setStyle({}, {stick: {radius: 0.2, colorscheme: 'orangeCarbon'}, sphere: {scale: 0.25, colorscheme: 'orangeCarbon'}}); continue; }
      if (role === 'partner') { model.setStyle({}, {cartoon: {color: colour, style: 'trace', opacity: 0.8}}); continue; }
      if (role === 'rotamer') { model.setStyle({}, state.sticks ? {stick: {radius: 0.2, color: colour}} : {}); continue; }
      const whole = colouring.one || several || (mutants && role === 'wild') ? {color: colour} : {colorscheme: painted};
      const faint = data.atSite ? {opacity: 0.6} : mutants && role === 'wild' ? {opacity: 0.5} : {};
      model.setStyle({}, {cartoon: {...whole, ...faint}});
      if (state.sticks && numbered) {
        const carbon = {carbon: colour};
        for (const near of data.near)
          model.setStyle({resi: near, not: {atom: ['C', 'O', 'N']}}, {stick: {radius: 0.1, color: colour}}, true);
        for (const site of data.sites)
          model.setStyle({resi: site}, {stick: {radius: 0.22, color: colour}}, true);
      }
      if (state.surface && (role === 'mutant' || !mutants))
        surfaceId = viewer.addSurface(1, {opacity: 0.7, colorscheme: painted}, {model});
    }
    if (state.contacts) for (const one of data.contacts)
      viewer.addCylinder({start: point(one.start), end: point(one.end), radius: 0.06, dashed: true,
        color: one.colour, fromCap: 1, toCap: 1});
    if (state.labels) data.sites.slice(0, 20).forEach((site, k) => label(data.siteLabels[k], site));
    viewer.spin(state.spin ? 'y' : false);
    legend(colouring);
    choose();
  }

  function point([x, y, z]) { return {x, y, z}; }

  function label(words, site) {
    viewer.addLabel(words, {fontSize: 13, backgroundColor: '#222', fontColor: 'white',
      backgroundOpacity: 0.75, inFront: true, screenOffset: {x: 18, y: -18}},
      {resi: site, atom: 'CA', model: models[0]});
  }

  function legend(colouring) {
    root.dataset.colour = colouring.name;
    const parts = data.colourings.length < 2 ? [text(colouring.title)] : [];
    if (colouring.stops.length) {
      const strip = document.createElement('span');
      strip.className = 'strip';
      strip.style.background = `linear-gradient(to right, ${colouring.stops.join(', ')})`;
      parts.push(text(colouring.low), strip, text(colouring.high));
    }
    for (const [colour, words] of colouring.keys) {
      const dot = document.createElement('span');
      dot.className = 'dot';
      dot.style.background = colour;
      const both = document.createElement('span');
      both.className = 'key';
      both.append(dot, words);
      parts.push(both);
    }
    bar.replaceChildren(...parts);
  }

  function text(words) { return Object.assign(document.createElement('span'), {textContent: words}); }

  function choose() {
    if (!viewer || !data) return;
    if (marker) { viewer.removeShape(marker); marker = null; }
    const atom = bus.selected === null ? null : alpha(bus.selected);
    if (atom) marker = viewer.addSphere({center: {x: atom.x, y: atom.y, z: atom.z}, radius: 1.3,
      color: data.selectedColour, opacity: 0.75});
    render();
    tellOf();
  }

  function alpha(position) {
    const shown = models.filter((model) => model.glass.numbered && state[model.glass.role]);
    for (const model of [...shown].reverse()) {
      const [atom] = model.selectedAtoms({resi: position, atom: 'CA'});
      if (atom) return atom;
    }
    return null;
  }

  function tellOf() {
    // The residue under the mouse, else the chosen one, with its values.
    if (!data) return;
    const place = bus.hovered ?? bus.selected;
    root.dataset.told = place ?? '';
    if (place === null) { told.textContent = data.hint; return; }
    const parts = data.values.map(({name, values}) => [name, values[place - 1]])
      .filter(([, value]) => value !== null).map(([name, value]) => `${name} ${value}`);
    const head = Object.assign(document.createElement('b'), {textContent: data.residues[place - 1]});
    told.replaceChildren(head, parts.length ? ': ' + parts.join(' · ') : '');
  }

  function whole() {
    if (data.atSite) { zoomTo(data.sites); return; }
    viewer.zoomTo({model: models[0]});
    render();
  }

  function zoomTo(places) {
    if (!places.length) return;
    viewer.zoomTo({resi: [...places, ...data.near], model: models[0]});
    render();
  }

  function picture() { viewer.render(); save(data.file + '.png', viewer.pngURI()); }

  function save(name, address) {
    const link = Object.assign(document.createElement('a'), {href: address, download: name});
    link.click();
  }

  function close() {
    for (const [name, listener] of Object.entries(listeners)) bus.removeEventListener(name, listener);
    if (viewer) { viewer.spin(false); viewer.removeAllModels(); viewer.clear(); }
    viewer = null;
    root.glassScene = null;
  }
  return {show, close, get viewer() { return viewer; }};
}
