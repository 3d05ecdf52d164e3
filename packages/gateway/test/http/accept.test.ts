import { expect, it } from "vitest";
import { readAccept } from "../../src/http/accept.ts";

it.each([
  ["text/html", 1],
  ["text/html;q=0.1", 0.1],
  ["TEXT/HTML ; level=1 ; Q=0.25", 0.25],
  ["text/html;q=0", 0],
  ["text/html;q=2", 1],
  ["text/html;q=20.5", 1],
  ["text/html;q=0.5x", 1],
  ["text/html;eq=0.5;q=0.1", 0.1],
  ["text/*;q=0.5", 0.5],
  ["*/*;q=0.3", 0.3],
  ["*/*, text/html;q=0.2", 0.2],
  ["application/json", undefined],
  ["", undefined],
  [`text/html${",a".repeat(507)}`, 1],
  [`text/html${",a".repeat(508)}`, undefined],
])("returns the quality of HTML in %j", (accept, quality) => {
  expect(readAccept(accept)(["text/html", "text/*", "*/*"])).toBe(quality);
});
