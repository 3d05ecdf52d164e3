/** What may happen to a delivery, as commands with what they return. */
import type { Applied, Command, Covered } from "../state/contract/deliveries.ts";
import { AFTER_EXPIRY, LEASE, LEASE_COMPLETED, START_WITHIN } from "../state/contract/deliveries.ts";
import type { Link } from "../state/contract/fields.ts";
import type { Variant } from "../state/contract/state.ts";

export const BEGIN: number = Date.parse("2026-12-01T00:00:00Z");
const OBJECT = { etag: "e1", size: 1000 };

export const LINK: Link = {
  id: "link",
  public: false,
  kind: "object",
  bucket: "media",
  key: "a",
  owner: "operator",
  version: 1,
  createdAt: BEGIN,
  startsAt: BEGIN,
  expiresAt: BEGIN + 24 * LEASE,
  revokedAt: undefined,
  suspended: undefined,
  networks: [],
  preview: true,
  follow: false,
  label: "a label",
  slug: "a-slug",
  etag: "e1",
  size: 1000,
};

export const variantOf = (id: string, limits: Pick<Variant, "max" | "maxBytes">): Variant => {
  return { id, link: "link", ...limits, used: 0, givenBack: 0, held: 0, started: 0, completed: 0 };
};

export const claim = (name: string, attempt?: string): Command => {
  const start = attempt === undefined ? undefined : { attempt, length: 1000, object: OBJECT };
  return { type: "claim", claim: `c${name}`, token: `t${name}`, address: `a${name}`, start };
};

const start = (name: string, attempt: string, length = 1000): Command => {
  return { type: "start", token: `t${name}`, attempt, length, object: OBJECT };
};

/** Commands in their order, and what they return. `wait` is in milliseconds. */
type Life = readonly (readonly [Command | { readonly wait: number } | "sweep", string?])[];

/** A response that sends a range. */
const part = (name: string, attempt: string, range: Covered): Life => {
  const [token, length] = [`t${name}`, range[1] - range[0]];
  return [
    [{ type: "start", token, attempt, length, range, object: OBJECT }, "started"],
    [{ type: "settle", token, attempt, sent: length, from: range[0] }, "started"],
  ];
};

export const outcome = (result: Applied): string => (result.ok ? result.delivery.state : result.reason);

/** A response that runs for `ms` milliseconds. */
const kept = (name: string, ms: number, range?: Covered): Life => {
  const life: Life[number][] = [];
  for (let left = ms; left > 0; left -= LEASE / 2) {
    life.push([{ wait: Math.min(left, LEASE / 2) }], [{ type: "alive", token: `t${name}`, range }, "started"]);
  }
  return life;
};

/** What may happen, and the counters at the end. */
export const lives: readonly (readonly [
  title: string,
  limits: Pick<Variant, "max" | "maxBytes">,
  steps: Life,
  end: Partial<Variant>,
])[] = [
  [
    "repeats a claim and a start without counting",
    { max: 2, maxBytes: undefined },
    [
      [claim("1"), "claimed"],
      [claim("1"), "claimed"],
      [start("1", "s"), "started"],
      [start("1", "s"), "started"],
    ],
    { used: 1, started: 1, held: 1000 },
  ],
  [
    "refuses a second claim of one delivery, and says busy while the first may lapse",
    { max: 1, maxBytes: undefined },
    [
      [claim("1"), "claimed"],
      [claim("2"), "busy"],
      [start("1", "s"), "started"],
      [claim("2"), "used-up"],
    ],
    { used: 1, started: 1 },
  ],
  [
    "lapses an unstarted claim",
    { max: 1, maxBytes: undefined },
    [
      [claim("1"), "claimed"],
      [{ wait: START_WITHIN }],
      [start("1", "s"), "lapsed"],
      [claim("2"), "claimed"],
      ["sweep"],
    ],
    { used: 1, started: 0 },
  ],
  [
    "sweeps unstarted claims",
    { max: 1, maxBytes: undefined },
    [[claim("1"), "claimed"], [{ wait: START_WITHIN }], ["sweep"], [claim("1"), "lapsed"]],
    { used: 0 },
  ],
  [
    "gives back what was not sent, once",
    { max: 1, maxBytes: 1500 },
    [
      [claim("1", "s"), "started"],
      [start("1", "s2"), "over-budget"],
      [{ type: "settle", token: "t1", attempt: "s", sent: 400, from: 0 }, "started"],
      [{ type: "settle", token: "t1", attempt: "s", sent: 400, from: 0 }, "unknown"],
      [start("1", "s2", 600), "started"],
      [{ type: "settle", token: "t1", attempt: "s2", sent: 600, from: 400 }, "started"],
    ],
    { held: 1000, completed: 1, started: 1 },
  ],
  [
    "ends a completed delivery after ten minutes, and a delivery that stays alive after an hour of silence",
    { max: 2, maxBytes: undefined },
    [
      [claim("1", "s"), "started"],
      [claim("2", "r"), "started"],
      [{ type: "settle", token: "t1", attempt: "s", sent: 1000, from: 0 }, "started"],
      [{ wait: LEASE_COMPLETED }],
      [start("1", "s2"), "used-up"],
      [{ type: "alive", token: "t2" }, "started"],
      [{ wait: LEASE - 1 }],
      [start("2", "r2"), "started"],
      [{ wait: LEASE }],
      ["sweep"],
      [start("2", "r3"), "used-up"],
    ],
    { used: 2, started: 2, completed: 1 },
  ],
  [
    "renews a delivery after the expiry of its link by ranges that it has not sent, and not by a range that it has sent",
    { max: 1, maxBytes: undefined },
    [
      [claim("1", "s"), "started"],
      [{ type: "settle", token: "t1", attempt: "s", sent: 1, from: 0 }, "started"],
      ...kept("1", 23.5 * LEASE),
      ...part("1", "s2", [0, 2]),
      [{ wait: LEASE - 1 }],
      ...part("1", "s3", [1, 3]),
      [{ wait: LEASE - 1 }],
      ...part("1", "s4", [0, 1]),
      [{ type: "alive", token: "t1", range: [1, 3] }, "started"],
      [{ wait: 1 }],
      [{ type: "alive", token: "t1", range: [0, 2] }, "expired"],
      [{ type: "start", token: "t1", attempt: "s5", length: 1, range: [9, 10], object: OBJECT }, "used-up"],
    ],
    { used: 1, started: 1 },
  ],
  [
    "renews no delivery by an unknown range after the expiry of its link",
    { max: 1, maxBytes: undefined },
    [
      [claim("1", "s"), "started"],
      ...kept("1", 23.5 * LEASE),
      [start("1", "s2", 1), "started"],
      [{ wait: LEASE / 2 }],
      [start("1", "s3", 1), "started"],
      [{ type: "alive", token: "t1" }, "started"],
      [{ type: "reserve", token: "t1", attempt: "s3", bytes: 1 }, "started"],
      [{ wait: LEASE / 2 }],
      [{ type: "reserve", token: "t1", attempt: "s3", bytes: 1 }, "used-up"],
      [{ type: "alive", token: "t1" }, "expired"],
      ["sweep"],
      [{ type: "alive", token: "t1" }, "expired"],
    ],
    { used: 1, started: 1 },
  ],
  [
    "ends every delivery a day after the expiry of its link, also if bytes are missing",
    { max: 1, maxBytes: undefined },
    [
      [claim("1", "s"), "started"],
      ...kept("1", 24 * LEASE + AFTER_EXPIRY - 1, [0, 1000]),
      [start("1", "s2", 1), "started"],
      [{ wait: 1 }],
      [{ type: "alive", token: "t1", range: [0, 1000] }, "expired"],
      [{ type: "start", token: "t1", attempt: "s3", length: 1, range: [9, 10], object: OBJECT }, "used-up"],
    ],
    { used: 1, started: 1 },
  ],
  [
    "reserves ahead within the limit",
    { max: undefined, maxBytes: 3000 },
    [
      [{ ...claim("1"), start: { attempt: "s", length: 1000 } } as Command, "started"],
      [{ type: "reserve", token: "t1", attempt: "s", bytes: 2000 }, "started"],
      [{ type: "reserve", token: "t1", attempt: "s", bytes: 1 }, "over-budget"],
    ],
    { held: 3000, used: 1 },
  ],
  [
    "pins the object of a started delivery",
    { max: 1, maxBytes: undefined },
    [
      [claim("1", "s"), "started"],
      [{ type: "start", token: "t1", attempt: "s2", length: 1, object: { etag: "e2", size: 1 } }, "changed"],
    ],
    { started: 1, held: 1000 },
  ],
];
