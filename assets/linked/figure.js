// A Plotly figure whose residues are linked with the other views of the page; or a map, whose
// points are chosen by a click, a lasso or a box.
export default function (component) {
  const {data, parentElement, setTriggerValue} = component;
  const plot = parentElement.querySelector('.glass-figure');
  plot.glassSend = (what, value) => setTriggerValue(what, value);
  if (!plot.glassDraw) plot.glassDraw = figure(plot);
  plot.setAttribute('role', 'group');
  plot.setAttribute('aria-label', data.title);
  plot.glassDraw.show(data);
  return () => plot.glassDraw.close();
}

function figure(plot) {
  let data = null, newest = null, own = [], axes = [], marks = [], moved = null, settle = null;
  const onSelected = () => mark(), onHovered = () => mark();

  async function show(next) {
    newest = next;
    const Plotly = await library('Plotly');
    if (next !== newest) return; // another came while the library was on its way
    if (data && JSON.stringify(data) === JSON.stringify(next) && plot.glassTheme === theme()) return;
    const first = data === null;
    if (data?.view !== next.view) moved = null;
    data = next;
    plot.glassTheme = theme();
    const {data: traces, layout} = JSON.parse(data.figure);
    axes = Object.keys(layout).filter((key) => key.startsWith('xaxis'))
      .map((key) => ({x: key.replace('axis', ''), y: key.replace('xaxis', 'y')}));
    own = layout.shapes ?? [];
    plot.style.height = `${layout.height ?? 450}px`;
    const text = themeColour(plot, '--st-text-color', '#222');
    Object.assign(layout, {
      paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', autosize: true,
      font: {...(layout.font ?? {}), color: text},
      uirevision: data.view, // zoom stays while it is the same protein
      modebar: {bgcolor: 'rgba(0,0,0,0)', color: 'rgba(128, 128, 128, 0.9)', activecolor: text},
      // A click anywhere above a residue chooses it.
      hovermode: data.square || data.map ? 'closest' : 'x',
    });
    for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key)))
      layout[name] = {gridcolor: 'rgba(128, 128, 128, 0.25)', zeroline: false, ...layout[name]};
    if (moved) for (const [axis, range] of Object.entries(moved)) layout[axis].range = range;
    await Plotly.react(plot, traces, layout, {
      displaylogo: false, showSendToCloud: false, responsive: true,
      displayModeBar: data.map ? true : 'hover',
      scrollZoom: Boolean(data.map),
      modeBarButtonsToRemove: [...(data.map ? [] : ['lasso2d', 'select2d']), 'autoScale2d'],
      modeBarButtonsToAdd: data.map ? [asPng(Plotly)] : [],
      toImageButtonOptions: {format: 'svg', filename: data.file},
    });
    if (first && data.map) {
      const send = (event) => plot.glassSend('picked', rows(event));
      plot.on('plotly_click', send);
      plot.on('plotly_selected', (event) => { if (event) send(event); });
      plot.on('plotly_relayout', stay);
      settle = panning(plot, send);
    } else if (first) {
      plot.on('plotly_click', (event) => {
        const place = residue(event);
        if (place === null) return;
        tell('selected', place);
        plot.glassSend('selected', place);
      });
      plot.on('plotly_hover', (event) => tell('hovered', residue(event)));
      plot.on('plotly_unhover', () => tell('hovered', null));
      bus.addEventListener('selected', onSelected);
      bus.addEventListener('hovered', onHovered);
    }
    mark();
  }

  function stay(event) {
    // What was moved or zoomed stays so when the map is drawn with other points.
    const keys = Object.keys(event);
    if (keys.some((key) => key.endsWith('axis.autorange'))) moved = null;
    else if (keys.some((key) => /^[xy]axis\.range/.test(key)))
      moved = Object.fromEntries(['xaxis', 'yaxis'].map(
        (axis) => [axis, [...plot._fullLayout[axis].range]]));
  }

  function asPng(Plotly) {
    return {
      name: 'png', title: 'Download plot as a PNG', icon: Plotly.Icons.disk,
      click: (gd) => Plotly.downloadImage(gd, {format: 'png', scale: 2, filename: data.file}),
    };
  }

  function rows(event) {
    // The background's rows among the points; a user's own have none.
    const every = (event.points ?? []).map((point) => Number(point.customdata));
    return [...new Set(every)].filter((row) => Number.isInteger(row) && row >= 0);
  }

  function theme() {
    return themeColour(plot, '--st-text-color', '') + themeColour(plot, '--st-background-color', '');
  }

  function residue(event) {
    const x = Number(event.points?.[0]?.x);
    return Number.isInteger(x) && x >= 1 && x <= data.length ? x : null;
  }

  function mark() {
    // Lines at the chosen residue and the one under the mouse, over the whole figure.
    if (!data || data.map || !plot.isConnected) return;
    const wanted = [['selected', data.colours.selected, 2], ['hovered', data.colours.hovered, 1]]
      .filter(([what]) => bus[what] !== null)
      .map(([what, colour, width]) => axes.map(({x, y}) => ({
        type: 'line', xref: x, yref: `${y} domain`, x0: bus[what], x1: bus[what], y0: 0, y1: 1,
        line: {color: colour, width}, name: `glass ${what}`})))
      .flat();
    if (data.square) {
      for (const [what, colour] of [['selected', data.colours.selected], ['hovered', data.colours.hovered]]) {
        if (bus[what] === null) continue;
        for (const {x, y} of axes)
          wanted.push({type: 'line', xref: `${x} domain`, yref: y, x0: 0, x1: 1,
            y0: bus[what], y1: bus[what], line: {color: colour, width: 1}, name: `glass ${what}`});
      }
    }
    if (!wanted.length && !marks.length) return;
    marks = wanted;
    window.Plotly.relayout(plot, {shapes: [...own, ...wanted]});
  }

  function close() {
    bus.removeEventListener('selected', onSelected);
    bus.removeEventListener('hovered', onHovered);
    settle?.();
    if (window.Plotly && data) window.Plotly.purge(plot);
    plot.glassDraw = null;
  }
  return {show, close};
}
