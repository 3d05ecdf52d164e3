import pg from "pg";

export const pool = new pg.Pool({ connectionString: process.env["DATABASE_URL"] });
// An idle connection that the database closes would end the process.
pool.on("error", () => undefined);
await pool.query(`CREATE TABLE IF NOT EXISTS url_use
  (kid text, grant_id text, used bigint, until timestamptz, PRIMARY KEY (kid, grant_id))`);

/** @type {import("daypass").UseStore} */
export const uses = {
  async claim(kid, grantId, limit, until) {
    const { rowCount } = await pool.query(
      `INSERT INTO url_use AS u VALUES ($1, $2, 1, $3)
       ON CONFLICT (kid, grant_id) DO UPDATE SET used = u.used + 1 WHERE u.used < $4`,
      [kid, grantId, until, limit],
    );
    return rowCount === 1;
  },
};
