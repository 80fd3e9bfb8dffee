"use strict";
{
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Links to sections become tabs (ARIA Authoring Practices, "Tabs"): one stop of the Tab key, arrows inside.
  function tabs(list) {
    const links = all("a", list);
    const panels = links.map((link) => document.getElementById(link.hash.slice(1)));
    const keys = list.dataset.tabs === "vertical" ? ["ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    const choose = (chosen) => links.forEach((link, index) => {
      link.setAttribute("aria-selected", index === chosen);
      link.tabIndex = index === chosen ? 0 : -1;
      panels[index].hidden = index !== chosen;
    });

    list.setAttribute("role", "tablist");
    list.setAttribute("aria-orientation", list.dataset.tabs);
    links.forEach((link, index) => {
      link.setAttribute("role", "tab");
      link.setAttribute("aria-controls", panels[index].id);
      link.id = `tab-${panels[index].id}`;
      panels[index].setAttribute("role", "tabpanel");
      panels[index].setAttribute("aria-labelledby", link.id);
      link.addEventListener("click", (event) => {
        event.preventDefault();
        choose(index);
        history.replaceState(null, "", link.hash);
        list.dispatchEvent(new CustomEvent("chosen", { detail: index }));
      });
    });
    list.addEventListener("keydown", (event) => {
      const shown = links.filter((link) => !link.hidden);
      const here = shown.indexOf(document.activeElement);
      const there = { [keys[0]]: here - 1, [keys[1]]: here + 1, Home: 0, End: shown.length - 1, " ": here }[event.key];
      if (here < 0 || there === undefined) return;
      event.preventDefault();
      const link = shown[(there + shown.length) % shown.length];
      link.focus();
      link.click();
    });
    choose(0);
  }

  // On a phone the rail is a select.
  function pick(list) {
    const label = document.querySelector(".pick");
    const select = label.querySelector("select");
    const links = all("a", list);
    select.append(...links.map((link) => new Option(document.getElementById(link.hash.slice(1)).dataset.name)));
    select.addEventListener("change", () => links[select.selectedIndex].click());
    list.addEventListener("chosen", (event) => { select.selectedIndex = event.detail; });
    label.hidden = false;
  }

  function filter(list) {
    const label = document.querySelector(".filter");
    const links = all("a:not(.of-plan)", list);
    label.querySelector("input").addEventListener("input", (event) => {
      const words = event.target.value.toLowerCase();
      links.forEach((link) => { link.hidden = !link.textContent.toLowerCase().includes(words); });
    });
    label.hidden = links.length < 12;
  }

  function follow() {
    const link = all("[role=tab]").find((tab) => tab.hash === location.hash);
    if (!link) return;
    const edition = link.closest(".edition");
    if (edition) document.getElementById(`tab-${edition.id}`).click();
    link.click();
    scrollTo(0, 0);
  }

  document.documentElement.classList.add("js");
  all("[data-tabs]").forEach(tabs);
  pick(document.querySelector(".editions"));
  filter(document.querySelector(".editions"));
  addEventListener("hashchange", follow);
  follow();
}
