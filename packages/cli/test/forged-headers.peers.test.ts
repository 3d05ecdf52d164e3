import { describe, expect, test } from "vitest";
import { needs } from "../../../tools/needs.ts";
import { LOGIN, openAlbum, PROXIES } from "./protected-album.ts";
import { askWitness, startWitness, TRICKS } from "./wsgi-witness.ts";

const missingPython = needs("python3");
const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const UPGRADE = [
  "Connection",
  "Upgrade",
  "Upgrade",
  "websocket",
  "Sec-WebSocket-Version",
  "13",
  "Sec-WebSocket-Key",
  KEY,
];

test.skipIf(missingPython)(
  `a WSGI application joins Daypass-Subject and Daypass_Subject without a proxy${missingPython ?? ""}`,
  async () => {
    const headers = ["Host", "localhost", "Daypass-Subject", "Ann", "Daypass_Subject", "forged"];
    expect(await askWitness(await startWitness(), "/", headers)).toMatchObject({ subject: "Ann,forged", forged: true });
  },
);

describe.each(Object.entries(PROXIES))("an app behind %s", (name, [commands, start]) => {
  const missing = needs(...commands, "openssl", "python3");

  test.skipIf(missing)(
    `receives no forged header, and the identity of each visitor, as the guide configures it${missing ?? ""}`,
    { timeout: 120_000 },
    async () => {
      const { front, cookie } = await openAlbum(name, start, await startWitness());
      const wrong: string[] = [];
      for (const [trick, ...headers] of TRICKS) {
        const ask = (target: string, ...own: readonly string[]) =>
          askWitness(front, target, ["Host", "photos.example.com", ...own, ...headers]);
        const [user, visitor, other] = [
          await ask("/album/8/", "Authorization", LOGIN),
          await ask("/album/7/", "Cookie", cookie),
          await ask("/album/8/", "Cookie", cookie),
        ];
        const isRefused = headers.length > 0 && visitor.status >= 400 && visitor.status < 500;
        const isZoe = visitor.identity.length === 2 && visitor.subject === "Zo%C3%AB";
        const rows = [
          ["a user with a login", !user.forged && user.identity.length === 0, user],
          ["a visitor", !visitor.forged && (isRefused || isZoe), visitor],
          ["a visitor of another album", other.status >= 400, other],
        ] as const;
        for (const [who, isRight, { status, environment }] of rows)
          if (!isRight) wrong.push(`${trick}, ${who}: ${status} ${JSON.stringify(environment)}`);
      }
      expect(wrong).toEqual([]);

      // The proxies that open WebSockets without further lines still do.
      if (name !== "Caddy" && name !== "HAProxy") return;
      const login = ["Host", "photos.example.com", "Authorization", LOGIN];
      const { environment } = await askWitness(front, "/album/8/", [...login, ...UPGRADE]);
      expect(environment).toMatchObject({ HTTP_UPGRADE: "websocket" });
      expect(environment["HTTP_CONNECTION"]?.toLowerCase()).toBe("upgrade");
    },
  );
});
