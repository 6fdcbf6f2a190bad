/** The statements on registers: groups and API keys. */
import { type RowTable, WRITE_IDS_KEPT } from './row-table.ts'
import type { Statement } from './session.ts'

/** The key is the namespace and the id. */
export const REGISTERS: RowTable = {
  read: {
    name: 'cohort_read',
    text: 'select value, generation, write_ids from cohort.register where key = $1',
  },
  insert: {
    name: 'cohort_insert',
    text: `
      insert into cohort.register (key, value, generation, write_ids, updated_at, life, changed_xid)
      select key, value, 1, array[write_id], clock_timestamp(), nextval('cohort.lives'), pg_current_xact_id()
      from unnest($1::text[], $2::bytea[], $3::text[]) as new (key, value, write_id)
      where clock_timestamp() < to_timestamp($4::float8)
      on conflict (key) do nothing
      returning write_ids[1] as write_id`,
  },
  update: {
    name: 'cohort_update',
    text: `
      update cohort.register as held
      set value = new.value, generation = held.generation + 1,
        write_ids = (new.write_id || held.write_ids)[1:${WRITE_IDS_KEPT}], updated_at = clock_timestamp(),
        life = case when held.value is null then nextval('cohort.lives') else held.life end,
        changed_xid = pg_current_xact_id()
      from unnest($1::text[], $2::bytea[], $3::text[], $4::bigint[])
        as new (key, value, write_id, generation)
      where held.key = new.key and held.generation = new.generation
        and clock_timestamp() < to_timestamp($5::float8)
      returning new.write_id`,
  },
  fenceAbsent: {
    name: 'cohort_fence_absent',
    text: `
      insert into cohort.register (key, value, generation, write_ids, updated_at, life, changed_xid)
      select $1::text, null, 1, array[$2::text], clock_timestamp(), 0, '0'::xid8
      where clock_timestamp() < to_timestamp($3::float8)
      on conflict (key) do nothing`,
  },
  fenceRow: {
    name: 'cohort_fence_row',
    text: `
      update cohort.register
      set generation = generation + 1, write_ids = ($2::text || write_ids)[1:${WRITE_IDS_KEPT}]
      where key = $1 and generation = $3 and clock_timestamp() < to_timestamp($4::float8)`,
  },
}

/** $1: the first key; $2: a key that comes before the rows; $3: the first key after them; $4: how many. */
export const SCAN: Statement = {
  name: 'cohort_scan',
  text: `
    select key, value from cohort.register
    where key >= $1 and key > $2 and key < $3 and value is not null
    order by key limit $4`,
}
