import { encode } from "uqr";
import { expect, test } from "vitest";
import { qrCode } from "../src/commands/share/qr-code.ts";

const URL = "http://192.0.2.2:8080/l/5dydZz2wBb1PmmEb6U7tsC";
const COLOURS = "\u001b[38;5;231;48;5;16m";
const RESET = "\u001b[0m";
/** White upper and white lower half of each block. */
const HALVES: Readonly<Record<string, string>> = { "█": "11", "▀": "10", "▄": "01", " ": "00" };

test("draws a code in fixed colours with four white modules around it", () => {
  const lines = (qrCode(URL, 40) ?? "").split("\n");
  const blocks = lines.map((line) => line.slice(COLOURS.length, -RESET.length));
  for (const line of lines) expect([line.startsWith(COLOURS), line.endsWith(RESET)]).toEqual([true, true]);
  const rows = blocks.flatMap((line) => [0, 1].map((half) => [...line].map((block) => HALVES[block]?.[half] === "0")));
  const { size, data } = encode(URL, { border: 4 });
  expect(rows.slice(0, size)).toEqual(data);
  expect(data.slice(0, 4).flat()).not.toContain(true);
});

test("draws no code that a narrow terminal would wrap", () => {
  expect(qrCode(URL, 36)).toBeUndefined();
});
