// Tells the views which residue the page chose, beside those that are clicked in them.
export default function (component) {
  const {data, parentElement} = component;
  const host = parentElement.host ?? parentElement;
  if (host.glassTurn === data.turn) return;
  host.glassTurn = data.turn;
  tell('selected', data.position);
}
