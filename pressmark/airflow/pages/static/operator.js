// Links into Airflow, times in Airflow's zone, and the buttons. All data comes from attributes, never from inline scripts.
"use strict";
const framed = window.parent !== window;
const airflow = (path) => new URL(`../${path}`, location.href).pathname;

// Airflow's frame may not navigate the page around it, so the address is pushed to the history of its router.
function openInAirflow(url) {
  if (!framed) { location.href = url; return; }
  window.parent.history.pushState({}, "", url);
  window.parent.dispatchEvent(new PopStateEvent("popstate"));
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-airflow]");
  if (!link || !framed || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openInAirflow(new URL(link.getAttribute("href"), location.href).pathname);
});

// Airflow stores the zone that was chosen in its UI as JSON, or as a plain word.
function zone() {
  const stored = (localStorage.getItem("timezone") ?? "UTC").replaceAll('"', "");
  const name = stored === "local" ? Intl.DateTimeFormat().resolvedOptions().timeZone : stored;
  try { Intl.DateTimeFormat("en", { timeZone: name }); return name; } catch { return "UTC"; }
}
function fullTime(date) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: zone(), year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" }).formatToParts(date).map((part) => [part.type, part.value]));
  return `${parts.year}-${parts.month}-${parts.day} ${parts.hour}:${parts.minute} ${parts.timeZoneName}`;
}
function age(date) {
  const minutes = (Date.now() - date) / 60000, size = Math.abs(minutes);
  const [number, unit] = size < 60 ? [size, "minute"] : size < 72 * 60 ? [size / 60, "hour"] : [size / 1440, "day"];
  if (size < 0.5) return "just now";
  const words = `${Math.round(number)} ${unit}${Math.round(number) === 1 ? "" : "s"}`;
  return minutes < 0 ? `in ${words}` : `${words} ago`;
}
function showTimes() {
  for (const element of document.querySelectorAll("time[datetime]")) {
    const date = new Date(element.dateTime);
    element.textContent = element.dataset.style === "ago" ? age(date) : fullTime(date);
    element.title = fullTime(date);
  }
}

async function send(url, body, method = "POST") {
  const response = await fetch(url, { method, headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    const detail = Array.isArray(answer.detail) ? answer.detail.map((one) => one.msg).join("; ") : answer.detail;
    const message = response.status === 403 ? "You may not do this. Ask an Airflow administrator for the permission to start DAGs." : detail;
    throw new Error(message ?? `Airflow answered ${response.status}.`);
  }
  return answer;
}
// Start a DAG run through Airflow's API, as the logged-in user.
const startRun = (dag, conf) => send(airflow(`api/v2/dags/${dag}/dagRuns`), { logical_date: null, conf });

function showMessage(element, text, run) {
  const place = element.closest("[data-messages]")?.querySelector(".message") ?? document.getElementById("message");
  place.textContent = text;
  if (!run) return;
  const link = document.createElement("a");
  link.href = `../dags/${run.dag_id}/runs/${encodeURIComponent(run.dag_run_id)}`;
  link.dataset.airflow = "";
  link.textContent = run.dag_run_id;
  place.append(" ", link);
}
async function during(button, action) {
  button.disabled = true;
  try { await action(); } catch (error) { showMessage(button, error.message); } finally { button.disabled = false; }
}

// Buttons with data-run start a DAG, those with data-ask open a dialog, those with data-post act at once.
document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.run) during(button, async () => {
    showMessage(button, "Starting …");
    showMessage(button, "Started:", await startRun(button.dataset.run, JSON.parse(button.dataset.conf)));
    refreshList(true);
  });
  if (button.dataset.post) during(button, async () => {
    await send(button.dataset.post, JSON.parse(button.dataset.conf ?? "{}"));
    location.reload();
  });
  if (button.dataset.check) during(button, async () => {
    const shown = button.closest("[data-messages]").querySelector(".checked");
    showMessage(button, "Probing the site. This takes up to two minutes …");
    shown.textContent = (await send("actions/check", { outlet: button.dataset.check })).text;
    shown.hidden = false;
    showMessage(button, "");
  });
  if (button.dataset.cancel) during(button, async () => {
    await send(airflow(`api/v2/dags/backfill/dagRuns/${encodeURIComponent(button.dataset.cancel)}`), { state: "failed" }, "PATCH");
    showMessage(button, "Cancelled. Finished chunks are kept.");
    refreshList(true);
  });
  if (button.dataset.ask) {
    const dialog = document.getElementById(button.dataset.ask);
    const form = dialog.querySelector("form");
    form.dataset.conf = button.dataset.conf ?? "{}";
    dialog.querySelector("[data-about]").textContent = button.dataset.about ?? "";
    dialog.showModal();
  }
  if (button.dataset.close !== undefined) button.closest("dialog").close();
});
for (const form of document.querySelectorAll("dialog form")) form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const fields = Object.fromEntries([...new FormData(form)].filter(([, value]) => value));
  try {
    await send(form.getAttribute("action"), { ...JSON.parse(form.dataset.conf), ...fields });
    location.reload();
  } catch (error) { form.querySelector(".message").textContent = error.message; }
});

// The calendar of an outlet: click a day, then another one, to choose the days of a backfill.
function calendar() {
  const days = [...document.querySelectorAll(".days button")];
  const form = document.getElementById("gap");
  if (!days.length || !form) return;
  let first = null, dragged = null;
  const choose = (from, to) => {
    const [begin, end] = [from, to].sort();
    for (const day of days) day.classList.toggle("chosen", day.dataset.day >= begin && day.dataset.day <= end);
    form.elements.since.value = begin;
    const after = new Date(`${end}T00:00:00Z`);
    after.setUTCDate(after.getUTCDate() + 1);
    form.elements.until.value = after.toISOString().slice(0, 10);
  };
  for (const element of days) {
    const day = element.dataset.day;
    element.addEventListener("mousedown", () => { dragged = day; });
    element.addEventListener("mouseenter", (event) => { if (event.buttons === 1 && dragged) choose(dragged, day); });
    // A click that ends a drag fires on another element, so this is the first or the second day that was clicked.
    element.addEventListener("click", () => {
      choose(first ?? day, day);
      first = first ? null : day;
    });
  }
}

// The backfill form: a picker of outlets with search and groups.
function backfillForm() {
  const form = document.getElementById("backfill");
  if (!form) return;
  const tokens = form.querySelector(".tokens"), found = form.querySelector(".found"), search = form.elements.search;
  const chosen = new Set((form.dataset.outlets ?? "").split(",").filter(Boolean));
  const show = () => {
    tokens.replaceChildren(...[...chosen].map((id) => {
      const token = document.createElement("span"), remove = document.createElement("button");
      token.className = "token"; token.textContent = id; remove.type = "button"; remove.textContent = "×";
      remove.setAttribute("aria-label", `Remove ${id}`);
      remove.addEventListener("click", () => { chosen.delete(id); show(); });
      token.append(remove);
      return token;
    }));
  };
  const add = (...ids) => { ids.forEach((id) => chosen.add(id)); show(); };
  let waiting = null;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const rows = search.value.trim() ? await (await fetch(`outlet-names?q=${encodeURIComponent(search.value)}`)).json() : [];
      found.replaceChildren(...rows.map((row) => {
        const button = document.createElement("button");
        button.type = "button"; button.textContent = `${row.outlet} (${row.tier}${row.country ? `, ${row.country}` : ""})`;
        button.addEventListener("click", () => add(row.outlet));
        return button;
      }));
    }, 150);
  });
  search.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    found.querySelector("button")?.click();
    search.value = "";
  });
  form.querySelectorAll("[data-group]").forEach((button) => button.addEventListener("click", () => add(button.dataset.group)));
  form.querySelectorAll("[data-country]").forEach((button) => button.addEventListener("click", async () => {
    const rows = await (await fetch(`outlet-names?country=${encodeURIComponent(button.dataset.country)}`)).json();
    add(...rows.map((row) => row.outlet));
  }));
  show();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!chosen.size) { showMessage(form, "Choose at least one outlet."); return; }
    const fields = new FormData(form);
    const conf = { outlets: [...chosen], since: fields.get("since"), until: fields.get("until"), dry_run: fields.get("dry_run") === "on",
      methods: fields.getAll("methods"), page_budget: fields.get("page_budget") ? Number(fields.get("page_budget")) : null,
      force_refetch: fields.get("force_refetch") === "on" };
    during(event.submitter, async () => {
      showMessage(form, "Starting …");
      showMessage(form, "Started:", await startRun("backfill", conf));
      refreshList(true);
    });
  });
}

// Read the list of backfills again while one is planned or running.
let refreshing = null;
function refreshList(soon) {
  const list = document.getElementById("backfill-list");
  if (!list) return;
  clearTimeout(refreshing);
  if (!soon && !list.querySelector("[data-live]")) return;
  let left = soon ? 60 : 1;
  const read = async () => {
    const response = await fetch(`backfill-list${location.search}`);
    if (response.ok) { list.innerHTML = await response.text(); showTimes(); }
    if (--left > 0 || list.querySelector("[data-live]")) refreshing = setTimeout(read, 3000);
  };
  refreshing = setTimeout(read, 3000);
}

showTimes();
setInterval(showTimes, 30000);
calendar();
backfillForm();
refreshList(false);
