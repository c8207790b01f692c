// Draws deck.pptx from the plan in deck.json. All decisions are in the plan; here is only how to draw them.
//
//   node deck.cjs /mnt/session/outputs/deck.pptx

const fs = require("node:fs");
const PptxGenJS = require("pptxgenjs");

const FONT = "Arial";
const plan = JSON.parse(fs.readFileSync("deck.json", "utf8"));
const colour = (name) => plan.palette[name];

async function main(path) {
  const deck = new PptxGenJS();
  deck.layout = "LAYOUT_WIDE";
  deck.title = plan.title;
  deck.author = "Deckhand scripted model";
  deck.company = "Deckhand";
  deck.theme = { headFontFace: FONT, bodyFontFace: FONT };
  for (const page of plan.slides) {
    const slide = deck.addSlide();
    slide.background = { color: colour(page.background) };
    for (const element of page.elements) draw[element.type](deck, slide, element);
  }
  await deck.writeFile({ fileName: path });
  console.log(`deck.pptx: ${plan.slides.length} slides`);
  console.log(`RESULT ${JSON.stringify({ slides: plan.slides.length })}`);
}

const draw = {
  text(_deck, slide, { text, x, y, w, h, size, bold, colour: name, align, valign }) {
    const style = { fontFace: FONT, fontSize: size, bold, color: colour(name), align, valign, margin: 0, fit: "none" };
    slide.addText(text, { x, y, w, h, ...style });
  },

  rect(deck, slide, { x, y, w, h, colour: name }) {
    slide.addShape(deck.ShapeType.rect, { x, y, w, h, fill: { color: colour(name) }, line: { type: "none" } });
  },

  table(_deck, slide, { x, y, widths, header, rows, row_height: rowHeight, size }) {
    const base = { fontFace: FONT, fontSize: size, valign: "middle", margin: [0.02, 0.14, 0.02, 0.1] };
    const line = { type: "solid", pt: 0.5, color: colour("line") };
    const none = { type: "none" };
    const right = (i) => (header[i] === "Rows" ? "right" : "left");
    const head = header.map((text, i) => ({
      text,
      options: { ...base, bold: true, color: colour("white"), fill: { color: colour("deep") }, align: right(i) },
    }));
    const body = rows.map((cells) =>
      cells.map((text, i) => ({
        text,
        options: {
          ...base,
          color: colour(i === 0 ? "ink" : "text"),
          bold: i === 0,
          align: right(i),
          border: [none, none, line, none],
        },
      })),
    );
    const h = rowHeight * (rows.length + 1);
    const w = widths.reduce((sum, width) => sum + width, 0);
    slide.addTable([head, ...body], { x, y, w, h, colW: widths, rowH: Array(rows.length + 1).fill(rowHeight) });
  },

  chart(deck, slide, element) {
    const { kind, series, categories } = element;
    const data = series.map(({ name, values }) => ({ name, labels: categories, values }));
    const type = kind === "line" ? deck.ChartType.line : deck.ChartType.bar;
    slide.addChart(type, data, { ...frame(element), ...axes(element), ...look(element) });
  },
};

function frame({ x, y, w, h, alt, series }) {
  const several = series.length > 1;
  const legend = {
    showLegend: several,
    legendPos: "t",
    legendFontFace: FONT,
    legendFontSize: 11,
    legendColor: colour("text"),
  };
  return { x, y, w, h, altText: alt, showTitle: false, ...legend };
}

function axes({ kind, categories, format, series }) {
  const bars = kind === "bar";
  const label = { FontFace: FONT, FontSize: bars ? 12 : 10.5, Color: colour(bars ? "ink" : "muted") };
  const prefixed = (prefix) =>
    Object.fromEntries(Object.entries(label).map(([key, value]) => [`${prefix}Label${key}`, value]));
  const labelled = isLabelled({ kind, categories });
  const everyNth = bars ? 1 : Math.max(1, Math.ceil(categories.length / 18));
  const values = series.flatMap((one) => one.values).filter((value) => value !== null);
  return {
    ...prefixed("catAxis"),
    ...prefixed("valAxis"),
    catAxisOrientation: bars ? "maxMin" : "minMax",
    catAxisLabelPos: "low",
    catAxisLabelFrequency: everyNth,
    catAxisLineShow: true,
    catAxisMajorTickMark: "none",
    catGridLine: { style: "none" },
    valAxisHidden: labelled,
    valAxisLineShow: false,
    valAxisLabelFormatCode: format,
    valAxisMajorTickMark: "none",
    valGridLine: labelled ? { style: "none" } : { color: colour("line"), size: 0.5 },
    ...(kind !== "line" && values.every((value) => value >= 0) ? { valAxisMinVal: 0 } : {}),
  };
}

/** Where each bar carries its value, an axis would only repeat it. */
function isLabelled({ kind, categories }) {
  return kind === "bar" || (kind === "column" && categories.length <= 10);
}

function look({ id, kind, categories, series, highlight, format }) {
  const accent = colour(id === "decline" ? "down" : "accent");
  if (kind === "line") {
    const chartColors = series.length > 1 ? [colour("rest"), accent] : [accent];
    return { chartColors, lineSize: 2.75, lineDataSymbol: "none", lineSmooth: false };
  }
  const labelled = isLabelled({ kind, categories });
  const one = series.length === 1;
  const points = categories.map((_, i) => (highlight.length === 0 || highlight.includes(i) ? accent : colour("rest")));
  return {
    barDir: kind === "bar" ? "bar" : "col",
    barGapWidthPct: one ? 45 : 60,
    chartColors: one ? points : [colour("rest"), accent],
    showValue: labelled,
    dataLabelFormatCode: format,
    dataLabelFontFace: FONT,
    dataLabelFontSize: 11.5,
    dataLabelColor: colour("text"),
    dataLabelPosition: "outEnd",
  };
}

main(process.argv[2]).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
