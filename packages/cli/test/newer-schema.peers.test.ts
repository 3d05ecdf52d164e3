import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { needsPostgres, postgresServer } from "../../../tools/postgres-server.ts";
import { daypass, temporaryFolder } from "./command.ts";
import { commands, expectRefused, NEEDS_NEWER } from "./newer-schema.ts";
import { serveWith, status } from "./serving.ts";

const reason = needsPostgres();

describe.skipIf(reason)(`a newer schema in PostgreSQL${reason ?? ""}`, () => {
  test("is served if this release can use it, and refused with both versions if it needs a newer release", async () => {
    const server = await postgresServer({ fsync: "off" });
    onTestFinished(() => server.remove());
    const folder = temporaryFolder();
    mkdirSync(join(folder, "root/media"), { recursive: true });
    writeFileSync(join(folder, "root/media/a.txt"), "a");
    const state = join(folder, "state");
    const config = join(folder, "daypass.json");
    const env = { DAYPASS_POSTGRES: server.url };
    const database = { folder: state, postgres: { variable: "DAYPASS_POSTGRES" } };
    writeFileSync(config, JSON.stringify({ root: "root", listen: { port: 0 }, state: database }));
    const list = () => daypass(["links", "list", "--state", state], { env });
    const start = () => serveWith({ env }, "--config", config);
    await (await start()).stop();
    server.sql("INSERT INTO daypass.migration VALUES (99)");
    const gateway = await start();
    expect([(await list()).status, await status(gateway.said.presignedUrl)]).toEqual([0, 200]);
    await gateway.stop();
    server.sql(NEEDS_NEWER.replace("oldest", "daypass.oldest"));
    const words = [...commands, "keys list", "keys create --show-secret"];
    await expectRefused(state, { words, serve: ["--config", config], env });
    await expectRefused(state, { words: [], serve: ["--config", config, "--workers", "2"], env });
    expect(server.sql("SELECT max(version) FROM daypass.migration")).toBe("99");
  });
});
