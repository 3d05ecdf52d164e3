import { laravelSigner, laravelVerifier } from "daypass/laravel";
import { expect, it } from "vitest";
import { clock } from "./edge-fixture.ts";
import { url } from "./option-fixture.ts";

it("names the received Host beside the origins, because proxies often change it", async () => {
  const secret = "base64:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
  const link = laravelSigner({ secret, clock }).sign({ url, expiresIn: 60 }).url;
  const { verify } = laravelVerifier({ secrets: secret, origins: ["https://media.example.com"], clock });
  const request = {
    method: "GET",
    target: link.slice(url.indexOf("/hls")),
    authority: "127.0.0.1:8080",
    headers: [],
  };
  await expect(verify(request)).rejects.toThrow(
    "the Host 127.0.0.1:8080 is not one of the origins https://media.example.com",
  );
});
