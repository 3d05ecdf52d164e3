/** `YYYY-MM-DDThh:mm:ssZ`, as Azure's own libraries sign it; fractions of a second are dropped. */
export function formatAzureTime(date: Date): string {
  return `${date.toISOString().slice(0, 19)}Z`;
}

/** The ISO 8601 forms in UTC that Azure documents for a SAS: a day, a minute or a second. */
const TIME_FORMS: RegExp = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/;

/** Parses a time in one of the {@link TIME_FORMS}; `undefined` also for a day that does not exist, which `Date` would roll over. */
export function parseAzureTime(text = ""): Date | undefined {
  const date = new Date(TIME_FORMS.test(text) ? text : Number.NaN);
  return date.getUTCDate() === Number(text.slice(8, 10)) ? date : undefined;
}
