import type { Bar, Row } from "./row.ts";
import { rounded } from "./row.ts";

const HEAD = ["work", "contender", "measured", "ours ÷ it", "bar", ""] as const;

/** Lays the rows out as text, or as a table of Markdown. */
export function table(rows: readonly Row[], { markdown }: { readonly markdown: boolean }): string {
  const lines = rows.map((row, at) => [
    row.work === rows[at - 1]?.work ? "" : row.work,
    row.contender,
    row.figure,
    row.ratio === undefined ? "" : row.ratio.toFixed(2),
    row.bar === undefined ? "" : barText(row.bar),
    row.bar === undefined || row.ratio === undefined ? "" : verdict(row.ratio, row.bar),
  ]);
  const widths = HEAD.map((name, column) => Math.max(...[name, ...lines.map((line) => line[column] ?? "")].map(width)));
  const laid = (cells: readonly string[]): string[] =>
    // Figures are read from their last digit.
    cells.map((cell, at) =>
      at === 2 || at === 3 ? padding(cell, widths[at]) + cell : cell + padding(cell, widths[at]),
    );
  if (!markdown) return [laid(HEAD), ...lines.map(laid)].map((cells) => cells.join("  ").trimEnd()).join("\n");
  const rule = HEAD.map((_, at) => (at === 2 || at === 3 ? "---:" : "---"));
  return [laid(HEAD), rule, ...lines.map(laid)].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** How many bars were missed. */
export function missed(rows: readonly Row[]): number {
  return rows.filter(({ ratio, bar }) => bar !== undefined && ratio !== undefined && verdict(ratio, bar) === "missed")
    .length;
}

function barText(bar: Bar): string {
  return "atLeast" in bar ? `≥ ${rounded(bar.atLeast)}` : `≤ ${rounded(bar.atMost)}`;
}

function verdict(ratio: number, bar: Bar): "met" | "missed" {
  return ("atLeast" in bar ? ratio >= bar.atLeast : ratio <= bar.atMost) ? "met" : "missed";
}

function width(text: string): number {
  return [...text].length;
}

function padding(text: string, to = 0): string {
  return " ".repeat(Math.max(0, to - width(text)));
}
