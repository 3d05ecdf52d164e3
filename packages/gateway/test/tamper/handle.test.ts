import { test } from "vitest";
import { tamperWithHandle } from "./handle.ts";

test("refuses 20,000 tampered requests before storage", () => tamperWithHandle(20_000), 60_000);
