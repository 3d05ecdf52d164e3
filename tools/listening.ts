import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when something listens there. */
export async function listening(
  port: number,
  { name, seconds = 30 }: { readonly name: string; readonly seconds?: number },
): Promise<void> {
  for (let attempts = 0; attempts < seconds * 10; attempts++) {
    const socket = connect(port, "127.0.0.1");
    const connected = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (connected) return;
    await sleep(100);
  }
  throw new Error(`${name} does not listen after ${seconds} s`);
}
