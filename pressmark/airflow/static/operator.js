// Charts, the outlet filter and the backfill form. Data comes from data attributes, never from inline scripts.
"use strict";
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function spark(element) {
  const values = JSON.parse(element.dataset.spark);
  new uPlot({
    width: 132, height: 26, cursor: { show: false }, legend: { show: false }, axes: [{ show: false }, { show: false }],
    scales: { x: { time: false }, y: { range: (u, low, high) => [0, Math.max(high, 1)] } }, padding: [2, 0, 2, 0],
    series: [{}, { stroke: color("--accent"), fill: color("--accent") + "40", width: 1, points: { show: false } }],
  }, [values.map((_, index) => index), values], element);
}

function chart(element) {
  const data = JSON.parse(element.dataset.chart);
  const palette = ["#2e7d4f", "#2a6fb0", "#a86400", "#c0362c", "#7b5ea7", "#4f8a8b", "#8d6e63", "#607d8b", "#b0578d", "#9e9d24"];
  const text = getComputedStyle(document.body).color;
  const days = data.days.map((day) => Date.parse(day) / 1000);
  const axis = { stroke: text, grid: { stroke: text + "", width: 0.15 }, ticks: { show: false } };
  new uPlot({
    width: element.clientWidth, height: 220, axes: [axis, { ...axis, size: 50 }],
    // Set the range explicitly: for a single day uPlot would show years.
    scales: { x: { range: () => [days[0] - 43200, days.at(-1) + 43200] }, y: { range: (u, low, high) => [0, Math.max(high, 1)] } },
    series: [{}, ...data.series.map((series, index) => ({
      label: series.name, stroke: palette[index % palette.length], width: 2, points: { show: data.days.length < 40, size: 5 },
    }))],
  }, [days, ...data.series.map((series) => series.values)], element);
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

// Trigger an ordinary run of the backfill DAG through Airflow's API, as the logged-in user.
function backfill() {
  const form = document.getElementById("backfill");
  form?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const status = document.getElementById("told");
    const fields = new FormData(form);
    const conf = {
      outlets: fields.get("outlets").split(",").map((id) => id.trim()).filter(Boolean), since: fields.get("since"),
      until: fields.get("until"), dry_run: fields.get("dry_run") === "on", methods: [], page_budget: null, force_refetch: false,
    };
    status.textContent = "…";
    const response = await fetch("../api/v2/dags/backfill/dagRuns", {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ logical_date: null, conf }),
    });
    const body = await response.json().catch(() => ({}));
    if (!response.ok) {
      status.textContent = `Not started (${response.status}): ${JSON.stringify(body.detail ?? body)}`;
      return;
    }
    status.textContent = "Started: ";
    const link = document.createElement("a");
    link.href = `../dags/backfill/runs/${encodeURIComponent(body.dag_run_id)}`;
    link.target = "_top";
    link.textContent = body.dag_run_id;
    status.append(link);
  });
}

draw();
filter();
backfill();
