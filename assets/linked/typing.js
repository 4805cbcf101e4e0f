// Tells the page what stands in a text field while it is typed, and what is pasted into it that
// has several lines, which a field of one line would run together.
export default function (component) {
  const {data, parentElement, setStateValue, setTriggerValue} = component;
  const host = parentElement.host ?? parentElement;
  host.glassSend = {setStateValue, setTriggerValue};
  host.glassStop ??= watch(host, `.st-key-${data} input`);
  return host.glassStop;
}

function watch(host, fields) {
  let timer = 0;
  const typed = (event) => {
    if (!event.target.matches?.(fields)) return;
    clearTimeout(timer);
    timer = setTimeout(() => host.glassSend.setStateValue('typed', event.target.value), 250);
  };
  // What is asked for is no longer typed: a preview of it would come in the way of the answer.
  const asked = (event) => {
    if (event.key === 'Enter' || event.target.closest?.('button')) clearTimeout(timer);
  };
  const pasted = (event) => {
    const text = event.clipboardData?.getData('text') ?? '';
    if (!event.target.matches?.(fields) || !text.trim().includes('\n')) return;
    event.preventDefault();
    host.glassSend.setTriggerValue('pasted', text);
  };
  document.addEventListener('input', typed);
  typed({target: document.activeElement ?? document.body}); // what was typed before this was here
  document.addEventListener('paste', pasted, true);
  document.addEventListener('keydown', asked, true);
  document.addEventListener('pointerdown', asked, true);
  return () => {
    clearTimeout(timer);
    document.removeEventListener('input', typed);
    document.removeEventListener('paste', pasted, true);
    document.removeEventListener('keydown', asked, true);
    document.removeEventListener('pointerdown', asked, true);
  };
}
