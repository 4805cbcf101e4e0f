// Moves the drawn points of a map as a picture while they are dragged, and draws them anew where
// they are let go: without a graphics card 50,000 points are drawn three times a second.
// A press that moves nothing is a click on what is under the mouse. Gives what ends all this.
function panning(plot, clicked) {
  let hovered = null;
  plot.on('plotly_hover', (event) => { hovered = event; });
  plot.on('plotly_unhover', () => { hovered = null; });
  plot.addEventListener('mousedown', press, true);
  plot.addEventListener('dblclick', back);

  function back(event) {
    if (pans(event)) window.Plotly.relayout(plot, {'xaxis.autorange': true, 'yaxis.autorange': true});
  }

  function pans(event) {
    return event.button === 0 && plot.layout.dragmode === 'pan'
      && event.target.closest('.nsewdrag') !== null;
  }

  function press(start) {
    if (!pans(start)) return;
    start.stopPropagation(); // from Plotly, which would draw every point at each step
    start.preventDefault();
    const area = start.target.closest('.nsewdrag').getBoundingClientRect();
    let moved = null, waiting = false;

    function move(event) {
      event.stopPropagation();
      const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
      if (moved === null && Math.hypot(x, y) < 3) return;
      if (moved === null) window.Plotly.Fx.unhover(plot);
      moved = [x, y];
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; if (moved) shift(area, moved); });
    }

    async function release(event) {
      event.stopPropagation();
      window.removeEventListener('mousemove', move, true);
      window.removeEventListener('mouseup', release, true);
      if (moved === null) {
        if (hovered) clicked(hovered);
        return;
      }
      const [x, y] = moved;
      moved = null;
      const {xaxis, yaxis} = plot._fullLayout;
      await window.Plotly.relayout(plot, {
        'xaxis.range': along(xaxis.range, -x / area.width),
        'yaxis.range': along(yaxis.range, y / area.height),
      });
      shift(area, null);
    }

    window.addEventListener('mousemove', move, true);
    window.addEventListener('mouseup', release, true);
  }

  function along([low, high], share) {
    return [low + share * (high - low), high + share * (high - low)];
  }

  function shift(area, by) {
    const points = plot.querySelector('.gl-container');
    const whole = points.getBoundingClientRect();
    points.style.clipPath = by && `inset(${area.top - whole.top}px ${whole.right - area.right}px `
      + `${whole.bottom - area.bottom}px ${area.left - whole.left}px)`;
    for (const canvas of points.querySelectorAll('canvas'))
      canvas.style.transform = by && `translate(${by[0]}px, ${by[1]}px)`;
  }

  return () => {
    plot.removeEventListener('mousedown', press, true);
    plot.removeEventListener('dblclick', back);
  };
}
