
(() => {
  const main = document.getElementById("main"), said = document.getElementById("said");
  if (navigator.clipboard) document.documentElement.classList.add("copies");
  main.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    said.textContent = button.textContent + " ✓";
  });
  if (!("live" in main.dataset)) return;
  let busy = false, later = 0;
  const writing = () => {
    const at = document.activeElement;
    return (at && main.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) ||
      [...main.querySelectorAll("textarea,input:not([type=hidden])")].some((f) => f.value !== f.defaultValue);
  };
  const words = (root) => [...root.querySelectorAll("[data-said]")].map((e) => e.dataset.said).join(" ");
  async function refresh() {
    if (busy || document.hidden || writing()) return;
    busy = true;
    try {
      const url = new URL(location.href);
      url.searchParams.delete("notice");
      const answer = await fetch(url, { cache: "no-store" });
      if (!answer.ok || answer.redirected) return;
      const next = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
      if (!next || writing() || next.innerHTML === main.innerHTML) return;
      const open = [...main.querySelectorAll("details[open][id]")].map((d) => d.id);
      const links = [...main.querySelectorAll("a,button,summary")], focus = links.indexOf(document.activeElement);
      const before = words(main);
      main.innerHTML = next.innerHTML;
      open.forEach((id) => document.getElementById(id)?.setAttribute("open", ""));
      if (focus >= 0) main.querySelectorAll("a,button,summary")[focus]?.focus({ preventScroll: true });
      if (words(main) !== before) said.textContent = words(main);
    } catch { /* the next beat tries again */ } finally { busy = false; }
  }
  const soon = () => { clearTimeout(later); later = setTimeout(refresh, 300); };
  new EventSource("/events").addEventListener("incident", soon);
  document.addEventListener("visibilitychange", soon);
  setInterval(refresh, 15000);
})();
