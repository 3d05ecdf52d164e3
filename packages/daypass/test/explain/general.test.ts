import { explain } from "daypass/explain";
import { expect, it } from "vitest";
import { secretParameters } from "../../src/schemes/secret-parameters.ts";
import { errorXml } from "./raw-requests.ts";

it("explains a URL of a registered scheme that has no explainer", async () => {
  const url = "https://cdn.example.com/a/b.txt?v=1&ex-sig=0123456789abcdef";
  await expect(explain(url)).rejects.toMatchObject({ code: "NO_SIGNATURE" });
  const registry: Record<string, readonly string[]> = secretParameters as never;
  registry["example"] = ["ex-sig"];
  try {
    const { scheme, summary, cause, traps } = await explain(url);
    expect([scheme, cause, traps]).toEqual(["example", undefined, []]);
    expect(summary).toBe("A URL that is signed in the scheme example, for https://cdn.example.com/a/b.txt.");
    const told = await explain(url, { errorBody: errorXml("SignatureDoesNotMatch", "Not 0123456789abcdef.") });
    expect(told.cause?.code).toBe("WRONG_SECRET");
    expect(JSON.stringify(told)).not.toContain("0123456789abcdef");
  } finally {
    delete registry["example"];
  }
});
