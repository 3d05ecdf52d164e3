import { azureAccountSigner } from "daypass/azure";
import { describe, expect, it } from "vitest";
import { ACCOUNT, CREDENTIALS, ORIGIN } from "./fixture.ts";
import { clock, code, parameters } from "./signers.ts";

describe("azureAccountSigner", () => {
  const account = azureAccountSigner({ account: ACCOUNT, credentials: CREDENTIALS, clock });
  const all = { resourceTypes: "ocs", permissions: "lr", expiresIn: 900 };

  it("puts all letters into Azure's order", () => {
    const { url, warnings } = account.sign({ ...all, services: "fb" });
    expect(url.startsWith(`${ORIGIN}/?`)).toBe(true);
    expect(["ss", "srt", "sp"].map((name) => parameters(url).get(name))).toEqual(["bf", "sco", "rl"]);
    expect(warnings).toEqual([]);
  });

  it("warns of a SAS that writes everywhere", () => {
    expect(account.sign({ ...all, permissions: "rw" }).warnings).toHaveLength(1);
  });

  it("points to a blob without binding it", () => {
    const { url, bound } = account.sign({ ...all, container: "media", blob: "a b.txt" });
    expect(new URL(url).pathname).toBe("/media/a%20b.txt");
    expect(bound).not.toContain("blob");
  });

  it("refuses what it cannot bind, and letters that do not exist", () => {
    for (const more of [{ prefix: "a" }, { response: { contentType: "a/b" } }, { identifier: "p" }]) {
      expect(
        code(() => account.sign({ ...all, ...more })),
        JSON.stringify(more),
      ).toBe("UNSUPPORTED_CONSTRAINT");
    }
    for (const more of [
      { services: "" },
      { services: "bb" },
      { services: "x" },
      { resourceTypes: "" },
      { resourceTypes: "so!" },
      { permissions: "m" },
      { permissions: "ll" },
      { blob: "a.txt" },
      { container: "A" },
    ]) {
      expect(
        code(() => account.sign({ ...all, ...more })),
        JSON.stringify(more),
      ).toBe("INVALID_INPUT");
    }
  });

  it("reports the option with invalid letters", () => {
    for (const name of ["services", "resourceTypes", "permissions"] as const) {
      for (const given of [["b", "f"], 7]) {
        expect(() => account.sign({ ...all, [name]: given as never })).toThrow(
          new RegExp(`^${name} is .*\\. Pass letters`),
        );
      }
    }
  });
});
