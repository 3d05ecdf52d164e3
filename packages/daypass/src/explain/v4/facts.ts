/** What stands in every URL of the V4 family; empty where it is missing. */
export interface V4Facts {
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly time: string;
  readonly signedAt: Date | undefined;
  readonly expires: number;
  readonly endsAt: Date | undefined;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}
