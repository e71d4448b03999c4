/* What a page can do beyond showing itself. Every page is whole without this file; nothing is fetched until it is asked for. */
"use strict";
(() => {
  const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const words = (text) => fold(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  /* "venezolanos" is found where "venezolano" stands: the last letter may change and two may follow. */
  const meets = (asked, said) =>
    said.startsWith(asked) ||
    (said.length > 4 && asked.length - said.length <= 2 && asked.startsWith(said.slice(0, -1)));
  const fits = (query, text) => {
    const said = words(text);
    return words(query).every((asked) => said.some((word) => meets(asked, word)));
  };
  const address = (change) => {
    const url = new URL(location.href);
    change(url.searchParams);
    history.replaceState(null, "", url);
  };

  /* Search: the list of all pages is narrowed; where a server answers, texts are searched too. */
  const list = document.querySelector("[data-find]");
  if (list) {
    const field = document.getElementById("q");
    const count = document.getElementById("count");
    const found = document.getElementById("texts");
    let engine = null;
    let turn = 0;
    const show = async () => {
      const query = field.value.trim();
      const mine = ++turn;
      let shown = 0;
      for (const group of list.querySelectorAll("section")) {
        let some = false;
        for (const item of group.querySelectorAll("li")) {
          item.hidden = query !== "" && !fits(query, item.textContent + " " + (item.dataset.words || ""));
          some = some || !item.hidden;
          shown += item.hidden ? 0 : 1;
        }
        group.hidden = !some;
      }
      count.textContent = query ? (shown ? count.dataset.some.replace("{n}", shown) : count.dataset.none) : "";
      found.replaceChildren();
      if (!query || !location.protocol.startsWith("http")) return;
      try {
        engine = engine || import(new URL(found.dataset.engine, location.href));
        const search = await (await engine).search(query);
        const results = await Promise.all(search.results.slice(0, 8).map((each) => each.data()));
        if (mine !== turn) return;
        found.replaceChildren(...results.map((each) => {
          const item = document.createElement("li");
          const link = document.createElement("a");
          const excerpt = document.createElement("p");
          link.href = new URL(found.dataset.root + each.url.replace(/^.*?\/(?=(?:es|en|pt)\/)/, ""), location.href);
          link.textContent = each.meta.title;
          excerpt.className = "note";
          excerpt.textContent = each.plain_excerpt;
          item.append(link, excerpt);
          return item;
        }));
      } catch { /* no index beside the pages: the list above is the answer */ }
    };
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) field.value = asked;
    field.form.addEventListener("submit", (event) => { event.preventDefault(); show(); });
    field.addEventListener("input", () => {
      address((p) => (field.value ? p.set("q", field.value) : p.delete("q")));
      show();
    });
    show();
  }

  /* Tables that say so get a field that narrows their rows. */
  document.querySelectorAll("table[data-filter]").forEach((table, number) => {
    const key = "filter" + (number || "");
    const label = document.createElement("label");
    const field = document.createElement("input");
    label.className = "filter";
    field.type = "search";
    label.append(table.dataset.filter + " ", field);
    (table.closest(".scroll") || table).before(label);
    const said = (row) => [...row.cells].map((cell) => cell.textContent).join(" ");
    const narrow = () => {
      for (const row of table.tBodies[0].rows) row.hidden = field.value !== "" && !fits(field.value, said(row));
    };
    field.addEventListener("input", () => {
      address((p) => (field.value ? p.set(key, field.value) : p.delete(key)));
      narrow();
    });
    field.value = new URLSearchParams(location.search).get(key) || "";
    narrow();
  });

  /* The tab that the address names is shown, and the address follows the tab. */
  document.querySelectorAll(".tabs > input").forEach((tab) => {
    if (location.hash === "#" + tab.id) tab.checked = true;
    tab.addEventListener("change", () => history.replaceState(null, "", "#" + tab.id));
  });

  /* The period at the head of a column of a bar chart's table draws that column. */
  document.querySelectorAll("figure.bars").forEach((figure) => {
    const heads = [...figure.querySelectorAll("thead th[data-period]")];
    if (heads.length < 2) return;
    const draw = (chosen) => {
      heads.forEach((head) => head.firstElementChild.setAttribute("aria-pressed", String(head === chosen)));
      figure.querySelector(".drawn").textContent = chosen.textContent;
      figure.querySelectorAll("tbody tr").forEach((row, number) => {
        const cell = row.cells[chosen.cellIndex];
        const bar = figure.querySelectorAll("rect.fill")[number];
        const value = figure.querySelectorAll("text.bar-value")[number];
        bar.setAttribute("width", cell.dataset.width || "0");
        value.textContent = cell.textContent;
        value.classList.toggle("absent", !cell.dataset.width);
      });
    };
    heads.forEach((head) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => draw(head));
      head.replaceChildren(button);
    });
    draw(heads[0]);
  });
})();
