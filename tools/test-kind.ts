/** The kind of tests that this run is for (see tools/suite.mjs); all quick ones if nothing says otherwise. */
export const kind: string = process.env["DAYPASS_TESTS"] ?? "quick";

/** Whether one of the two longer kinds runs. */
export const isLonger: boolean = kind === "peers" || kind === "long";

/** Patterns of the test files of the two longer kinds, which a quick run leaves out. */
export const longer: string[] = ["**/*.peers.test.ts", "**/*.long.test.ts"];
