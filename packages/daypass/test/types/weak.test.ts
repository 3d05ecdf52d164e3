import { describe, expectTypeOf, it } from "vitest";
import type { Weak, Weakness } from "../../src/index.ts";
import { type AkamaiGrant, akamaiSigner } from "../../src/schemes/akamai/index.ts";
import type { BunnyGrant } from "../../src/schemes/bunny/index.ts";
import type { FastlyGrant } from "../../src/schemes/fastly/index.ts";
import type { ImgixGrant } from "../../src/schemes/imgix/index.ts";
import type { LaravelGrant } from "../../src/schemes/laravel/index.ts";
import { type NginxGrant, nginxSigner } from "../../src/schemes/nginx/index.ts";
import type { UriSigningGrant } from "../../src/schemes/uri-signing/index.ts";

describe("what is weak by construction", () => {
  it("lists weaknesses in the types of grants and signers, so that code can refuse them", () => {
    expectTypeOf<AkamaiGrant>().toExtend<Weak<never>>();
    expectTypeOf<UriSigningGrant>().toExtend<Weak<never>>();
    expectTypeOf<NginxGrant>().not.toExtend<Weak<never>>();
    expectTypeOf<BunnyGrant>().not.toExtend<Weak<never>>();
    expectTypeOf<FastlyGrant>().not.toExtend<Weak<never>>();
    expectTypeOf<ImgixGrant>().not.toExtend<Weak<"no-expiry">>();
    expectTypeOf<LaravelGrant>().toExtend<Weak<"no-expiry">>();
    expectTypeOf<NginxGrant>().toExtend<Weak<Weakness>>();
    expectTypeOf(akamaiSigner({ secret: "00" })).toExtend<Weak<never>>();
    expectTypeOf(nginxSigner({ secret: "s" })).not.toExtend<Weak<never>>();
  });
});
