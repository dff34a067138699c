// Follow the theme of Airflow, in whose frame the pages are shown. Runs before the page is drawn.
"use strict";
(() => {
  const own = document.documentElement;
  const framed = window.parent !== window;
  const host = framed ? window.parent.document.documentElement : null;
  const apply = () => {
    const stored = localStorage.getItem("theme");
    const dark = host ? host.classList.contains("dark")
      : stored ? stored === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    own.dataset.theme = dark ? "dark" : "light";
  };
  apply();
  if (host) new MutationObserver(apply).observe(host, { attributes: true, attributeFilter: ["class"] });
})();
