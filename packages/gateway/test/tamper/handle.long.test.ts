import { test } from "vitest";
import { tamperWithHandle } from "./handle.ts";

const COUNT = Number(process.env["DAYPASS_TAMPER_COUNT"] ?? 1_000_000);

test("refuses a million tampered requests before storage", () => tamperWithHandle(COUNT), 600_000);
