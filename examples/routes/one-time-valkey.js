import { Redis } from "iovalkey";

export const valkey = new Redis(process.env["VALKEY_URL"] ?? "redis://127.0.0.1:6379");

/** @type {import("daypass").UseStore} */
export const uses = {
  async claim(kid, grantId, limit, until) {
    const name = `daypass:${kid}:${grantId}`;
    const results = await valkey.multi().incr(name).pexpireat(name, until.getTime()).exec();
    return Number(results?.[0]?.[1] ?? Number.NaN) <= limit;
  },
};
