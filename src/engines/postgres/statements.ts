/**
 * The statements on registers. Each that writes is a transaction of its own, and does nothing after its
 * deadline (by the clock of the server): a statement that was held up for long on its way to the server must
 * not write where a tombstone was removed meanwhile.
 */
import type { Statement } from './session.ts'

/** How many write ids a row remembers. If it has moved on by more, it does not say what became of a write. */
export const WRITE_IDS_KEPT = 8

/** $1: the key. */
export const READ: Statement = {
  name: 'cohort_read',
  text: 'select value, generation, write_ids from cohort.register where key = $1',
}

/** $1: the first key; $2: a key that comes before the rows; $3: the first key after them; $4: how many. */
export const SCAN: Statement = {
  name: 'cohort_scan',
  text: `
    select key, value from cohort.register
    where key >= $1 and key > $2 and key < $3 and value is not null
    order by key limit $4`,
}

/** $1: the key; $2: the value; $3: the write id; $4: the deadline. */
export const INSERT: Statement = {
  name: 'cohort_insert',
  text: `
    insert into cohort.register (key, value, generation, write_ids, updated_at, changed_at)
    select $1::text, $2::bytea, 1, array[$3::text], clock_timestamp(), nextval('cohort.changes')
    where clock_timestamp() < to_timestamp($4::float8)
    on conflict (key) do nothing`,
}

/** $1: the key; $2: the value; $3: the write id; $4: the generation that the row has; $5: the deadline. */
export const UPDATE: Statement = {
  name: 'cohort_update',
  text: `
    update cohort.register
    set value = $2::bytea, generation = generation + 1,
      write_ids = ($3::text || write_ids)[1:${WRITE_IDS_KEPT}],
      updated_at = clock_timestamp(), changed_at = nextval('cohort.changes')
    where key = $1 and generation = $4 and clock_timestamp() < to_timestamp($5::float8)`,
}

/** Leaves a tombstone where no row is. $1: the key; $2: the write id; $3: the deadline. */
export const FENCE_ABSENT: Statement = {
  name: 'cohort_fence_absent',
  text: `
    insert into cohort.register (key, value, generation, write_ids, updated_at, changed_at)
    select $1::text, null, 1, array[$2::text], clock_timestamp(), nextval('cohort.changes')
    where clock_timestamp() < to_timestamp($3::float8)
    on conflict (key) do nothing`,
}

/** Moves the generation on, and changes nothing else. $1: the key; $2: the write id; $3: the generation. */
export const FENCE_ROW: Statement = {
  name: 'cohort_fence_row',
  text: `
    update cohort.register
    set generation = generation + 1, write_ids = ($2::text || write_ids)[1:${WRITE_IDS_KEPT}]
    where key = $1 and generation = $3 and clock_timestamp() < to_timestamp($4::float8)`,
}

/** How long a tombstone stays: far longer than any statement may be on its way. */
const TOMBSTONE_AGE = '1 hour'

/**
 * Removes old tombstones, some at a time. Without it, keys that are created and deleted once would fill the
 * table.
 */
export const SWEEP: Statement = {
  name: 'cohort_sweep',
  text: `
    delete from cohort.register where value is null and key in (
      select key from cohort.register
      where value is null and updated_at < now() - interval '${TOMBSTONE_AGE}'
      order by updated_at limit 1000
      for update skip locked)`,
}
