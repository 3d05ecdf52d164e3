import { test } from "vitest";
import { tamperWithSockets } from "./socket.ts";

const COUNT = Math.min(Number(process.env["DAYPASS_TAMPER_COUNT"] ?? 52_000), 52_000);

test("accepts none of 52,000 tampered and malformed requests over sockets", () => tamperWithSockets(COUNT), 600_000);
