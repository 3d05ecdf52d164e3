import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../../tools/free-port.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { serve } from "./serving.ts";

/** A gateway over `count` files of a bucket `media`, with a listener for the console. */
export async function consoleOver(count: number) {
  const folder = temporaryFolder();
  mkdirSync(join(folder, "media/album"), { recursive: true });
  writeFileSync(join(folder, "media/album/<img src=x onerror=alert(1)>.txt"), "text");
  for (let at = 0; at < count; at += 1)
    writeFileSync(join(folder, `media/file-${String(at).padStart(5, "0")}.txt`), "text");
  const port = await freePort();
  const config = join(temporaryFolder(), "config.json");
  writeFileSync(config, JSON.stringify({ admin: { listen: `127.0.0.1:${port}` } }));
  const { said } = await serve(folder, "--config", config, "--port", "0");
  const state = join(folder, ".daypass");
  const ticket = async (): Promise<string> => {
    const { stdout } = await daypass(["console", "--state", state, "--json"]);
    return JSON.parse(stdout).url;
  };
  // It listens from the first question about links on.
  await ticket();
  return { folder, state, said, origin: `http://127.0.0.1:${port}`, ticket };
}
