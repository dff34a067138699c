// Charts, the filter of the list, and the form that starts a backfill. Data stand in attributes, never in scripts.
"use strict";
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function spark(element) {
  const values = JSON.parse(element.dataset.spark);
  new uPlot({
    width: 132, height: 26, cursor: { show: false }, legend: { show: false }, axes: [{ show: false }, { show: false }],
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, Math.max(high, 1)] } }, padding: [2, 0, 2, 0],
    series: [{}, { stroke: color("--accent"), fill: color("--accent") + "40", width: 1, points: { show: false } }],
  }, [values.map((_, place) => place), values], element);
}

function chart(element) {
  const told = JSON.parse(element.dataset.chart);
  const palette = ["#2e7d4f", "#2a6fb0", "#a86400", "#c0362c", "#7b5ea7", "#4f8a8b", "#8d6e63", "#607d8b", "#b0578d", "#9e9d24"];
  const text = getComputedStyle(document.body).color;
  const days = told.days.map((day) => Date.parse(day) / 1000);
  const axis = { stroke: text, grid: { stroke: text + "", width: 0.15 }, ticks: { show: false } };
  new uPlot({
    width: element.clientWidth, height: 220, axes: [axis, { ...axis, size: 50 }],
    // By the days themselves: of a single one the library makes years.
    scales: { x: { range: () => [days[0] - 43200, days.at(-1) + 43200] }, y: { range: (u, low, high) => [0, Math.max(high, 1)] } },
    series: [{}, ...told.series.map((one, place) => ({
      label: one.name, stroke: palette[place % palette.length], width: 2, points: { show: told.days.length < 40, size: 5 },
    }))],
  }, [days, ...told.series.map((one) => one.values)], element);
}

function draw() {
  const seen = new IntersectionObserver((entries) => entries.forEach((entry) => {
    if (entry.isIntersecting) {
      seen.unobserve(entry.target);
      (entry.target.dataset.spark ? spark : chart)(entry.target);
    }
  }));
  document.querySelectorAll("[data-spark], [data-chart]").forEach((element) => seen.observe(element));
}

function filter() {
  const field = document.getElementById("filter");
  field?.addEventListener("input", () => document.querySelectorAll("tr[data-words]").forEach((row) => {
    row.hidden = !row.dataset.words.includes(field.value.toLowerCase());
  }));
}

// Airflow's own API, as the person who is logged in; what the form starts is an ordinary run of the DAG.
function backfill() {
  const form = document.getElementById("backfill");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = document.getElementById("told");
    const given = new FormData(form);
    const conf = {
      outlets: given.get("outlets").split(",").map((one) => one.trim()).filter(Boolean), since: given.get("since"),
      until: given.get("until"), dry_run: given.get("dry_run") === "on", methods: [], page_budget: null, force_refetch: false,
    };
    told.textContent = "…";
    const answer = await fetch("../api/v2/dags/backfill/dagRuns", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ logical_date: null, conf }),
    });
    const body = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      told.textContent = `Not started (${answer.status}): ${JSON.stringify(body.detail ?? body)}`;
      return;
    }
    told.textContent = "Started: ";
    const link = document.createElement("a");
    link.href = `../dags/backfill/runs/${encodeURIComponent(body.dag_run_id)}`;
    link.target = "_top";
    link.textContent = body.dag_run_id;
    told.append(link);
  });
}

draw();
filter();
backfill();
