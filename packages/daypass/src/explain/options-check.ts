import { refusal } from "../errors.ts";
import type { ExplainOptions } from "./explanation.ts";
import { checkKeys } from "./key-check.ts";

/** Refuses options in another form than they have to be in, before anything is read. Throws `INVALID_INPUT`, `INVALID_KEY`. */
export function checkOptions(options: ExplainOptions): void {
  const { errorBody, request, hosts = [], keys = [], origin, clock } = options;
  checkText("errorBody", errorBody);
  checkText("origin", origin);
  for (const name of ["method", "url", "remoteAddress", "bodySha256"] as const) checkText(name, request?.[name]);
  const lists = [hosts, Object.values(request?.headers ?? {})];
  const areTexts = lists.every((list) => Array.isArray(list) && list.every((item) => typeof item === "string"));
  if (!areTexts) throw refusal("INVALID_INPUT", "hosts as a list of texts, and headers as texts by their names");
  if (clock !== undefined && Number.isNaN(new Date(clock()).getTime())) {
    throw refusal("INVALID_INPUT", "a clock that tells a valid time");
  }
  checkKeys(keys);
}

function checkText(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== "string") throw refusal("INVALID_INPUT", `${name} as a text`);
}
