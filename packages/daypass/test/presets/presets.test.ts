import { readFileSync } from "node:fs";
import { isDaypassError } from "daypass";
import {
  b2,
  ceph,
  garage,
  hetzner,
  minio,
  ovh,
  type Preset,
  r2,
  scaleway,
  spaces,
  supabase,
  tigris,
  wasabi,
} from "daypass/presets";
import { s3Signer } from "daypass/s3";
import { s3FormSigner } from "daypass/s3/form";
import { s3FormV2Signer } from "daypass/s3/form/v2";
import { s3V2Signer } from "daypass/s3/v2";
import { s3V4aSigner } from "daypass/s3/v4a";
import { describe, expect, it } from "vitest";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const clock = () => new Date("2026-01-02T03:04:05Z");
const account = "0123456789abcdef0123456789abcdef";
const project = "abcdefghijklmnopqrst";
const own = { endpoint: "https://files.example.com:9000" };

const all: readonly (readonly [preset: Preset, start: string, region: string])[] = [
  [r2({ accountId: account }), `https://${account}.r2.cloudflarestorage.com/media/a.png?`, "auto"],
  [
    r2({ accountId: account, jurisdiction: "eu" }),
    `https://${account}.eu.r2.cloudflarestorage.com/media/a.png?`,
    "auto",
  ],
  [minio(own), "https://files.example.com:9000/media/a.png?", "us-east-1"],
  [b2({ region: "us-east-005" }), "https://s3.us-east-005.backblazeb2.com/media/a.png?", "us-east-005"],
  [wasabi({ region: "eu-central-1" }), "https://s3.eu-central-1.wasabisys.com/media/a.png?", "eu-central-1"],
  [spaces({ region: "nyc3" }), "https://nyc3.digitaloceanspaces.com/media/a.png?", "nyc3"],
  [ceph(own), "https://files.example.com:9000/media/a.png?", "us-east-1"],
  [garage(own), "https://files.example.com:9000/media/a.png?", "garage"],
  [scaleway({ region: "fr-par" }), "https://s3.fr-par.scw.cloud/media/a.png?", "fr-par"],
  [ovh({ region: "gra" }), "https://s3.gra.io.cloud.ovh.net/media/a.png?", "gra"],
  [hetzner({ region: "fsn1" }), "https://fsn1.your-objectstorage.com/media/a.png?", "fsn1"],
  [
    supabase({ project, region: "eu-central-1" }),
    `https://${project}.storage.supabase.co/storage/v1/s3/media/a.png?`,
    "eu-central-1",
  ],
  [tigris(), "https://media.t3.storage.dev/a.png?", "auto"],
];

describe.each(all.map(([preset, ...rest]) => [preset.provider.name, preset, ...rest] as const))(
  "the preset of %s",
  (name, preset, start, region) => {
    it("signs for its host and region", () => {
      const { url } = s3Signer({ ...preset, credentials, clock }).sign({
        bucket: "media",
        key: "a.png",
        expiresIn: 60,
      });
      expect(url.startsWith(start)).toBe(true);
      expect(url).toContain(`%2F20260102%2F${region}%2Fs3%2Faws4_request`);
    });

    it("makes signers refuse the features that it lacks, and no others", async () => {
      const { supports, maxExpiresIn, sources } = preset.provider;
      expect(maxExpiresIn).toBe(name === "Tigris" ? 90 * 86_400 : 7 * 86_400);
      const lacks = (...features: (keyof typeof supports)[]) => features.some((feature) => supports[feature] === false);
      const form = { bucket: "media", key: "a.png", expiresIn: 60 };
      // biome-ignore lint/suspicious/noTemplateCurlyInString: the providers' own spelling
      const named = { ...form, key: "up/${filename}" };
      const options = { ...preset, credentials, clock };
      const tried = [
        [lacks("forms"), () => s3FormSigner(options).sign(form)],
        [lacks("forms", "filename"), () => s3FormSigner(options).sign(named)],
        [
          lacks("forms", "filename"),
          () => s3FormSigner(options).sign({ bucket: "media", prefix: "up/", expiresIn: 60 }),
        ],
        [lacks("forms", "sigv2"), () => s3FormV2Signer(options).sign(form)],
        [lacks("sigv2"), () => s3V2Signer(options).sign(form)],
        [lacks("sigv4a"), () => s3V4aSigner(options)],
      ] as const;
      for (const [isMissing, sign] of tried) expect([isMissing, refusal(sign)]).toEqual([isMissing, isMissing]);
      expect(maxExpiresIn).toBeGreaterThanOrEqual(604_800);
      expect(sources.every((source) => source.startsWith("https://"))).toBe(true);
    });

    it("is in the table of the documentation, with what it has and lacks", () => {
      const path = new URL("../../../../docs/schemes/s3-compatibles.md", import.meta.url);
      const row = readFileSync(path, "utf8")
        .split("\n")
        .find((line) => line.startsWith(`| ${name} `));
      const cells = row?.split("|").map((cell) => cell.trim());
      const word = (feature: keyof typeof preset.provider.supports) =>
        ({ true: "yes", false: "no", undefined: "?" })[String(preset.provider.supports[feature])];
      expect(cells?.slice(3, 10)).toEqual(
        (["path", "virtual", "custom-domains", "forms", "filename", "sigv2", "sigv4a"] as const).map(word),
      );
    });

    it("lists the notes and the sources of the documentation", () => {
      const path = new URL("../../../../docs/schemes/s3-compatibles.md", import.meta.url);
      const entry = readFileSync(path, "utf8")
        .split("\n")
        .find((line) => line.startsWith(`- **${name}**: `))
        ?.replaceAll("`", "");
      const { notes, sources } = preset.provider;
      for (const said of [...notes, ...sources.map((source) => `](${source})`)]) expect(entry).toContain(said);
      // And no other, but what the longest life says.
      const rest = [...notes, / URLs may live.*days here\./].reduce<string>(
        (text, said) => text.replace(said, ""),
        entry ?? "",
      );
      expect(rest.replace(/\(\[.*/, "").trim()).toBe(`- **${name}**:`);
    });
  },
);

/** Whether the signer refuses, and by naming the provider. */
function refusal(sign: () => unknown): boolean {
  try {
    sign();
    return false;
  } catch (error) {
    return isDaypassError(error) && error.code === "INVALID_INPUT" && error.message.startsWith("provider is");
  }
}

describe("a preset", () => {
  it("refuses options that would move the endpoint to another host", () => {
    for (const text of ["", "a.b", "evil.example/", "a@b", "A", "-a", "a-", "a#", `${"a".repeat(64)}`, "a\nb"]) {
      expect(() => r2({ accountId: text })).toThrow(/accountId/);
      expect(() => b2({ region: text })).toThrow(/region/);
      expect(() => supabase({ project: text, region: "eu-central-1" })).toThrow(/project/);
      expect(() => supabase({ project, region: text })).toThrow(/region/);
    }
    for (const text of ["moon", "", "eu.evil.example/"])
      expect(() => r2({ accountId: account, jurisdiction: text as "eu" })).toThrow(/jurisdiction/);
  });

  it("reads no unset variable as a name, and does not treat another server as Amazon", () => {
    const unset = undefined as unknown as string;
    expect(() => r2({ accountId: unset })).toThrow(/accountId/);
    expect(() => b2({ region: unset })).toThrow(/region/);
    expect(() => supabase({ project: unset, region: "eu-central-1" })).toThrow(/project/);
    for (const own of [minio, ceph, garage]) expect(() => own({ endpoint: unset })).toThrow(/endpoint/);
  });

  it("returns options that a spread can override", () => {
    const options = { ...scaleway({ region: "nl-ams" }), addressing: "virtual" as const, credentials, clock };
    const { url } = s3Signer(options).sign({ bucket: "media", key: "a.png", expiresIn: 60 });
    expect(url).toMatch(/^https:\/\/media\.s3\.nl-ams\.scw\.cloud\/a\.png\?/);
  });
});
