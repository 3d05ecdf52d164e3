import { test } from "vitest";
import { tamperWithSockets } from "./socket.ts";

test("accepts none of 3,000 tampered and malformed requests over sockets", () => tamperWithSockets(3000), 60_000);
