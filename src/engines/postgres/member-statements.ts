/**
 * The statements on members of groups. A row belongs to a life of its group, and counts while the group has
 * that life. Each statement sees both at one moment, and each that writes names the life: so what is written
 * while the group is deleted belongs to the life that has ended, whichever of the two is committed first.
 */
import { type RowTable, WRITE_IDS_KEPT } from './row-table.ts'
import type { Statement } from './session.ts'

/** The group of a row, if it is alive. */
const GROUP_OF = (row: string) =>
  `cohort.register as alive
    on alive.key = 'group/' || ${row}.group_id and alive.life = ${row}.life and alive.value is not null`

/** The key is the id of the group, its life, and the id of the member. */
export const MEMBERS: RowTable = {
  read: {
    name: 'cohort_member_read',
    text: `
      select value, generation, write_ids from cohort.group_member
      where group_id = $1 and life = $2 and member_id = $3`,
  },
  insert: {
    name: 'cohort_member_insert',
    text: `
      insert into cohort.group_member (group_id, life, member_id, value, generation, write_ids, updated_at)
      select new.group_id, new.life, new.member_id, new.value, 1, array[new.write_id], clock_timestamp()
      from unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::text[])
          as new (group_id, life, member_id, value, write_id)
        join ${GROUP_OF('new')}
      where clock_timestamp() < to_timestamp($6::float8)
      on conflict (group_id, life, member_id) do nothing
      returning write_ids[1] as write_id`,
  },
  update: {
    name: 'cohort_member_update',
    text: `
      update cohort.group_member as held
      set value = new.value, generation = held.generation + 1,
        write_ids = (new.write_id || held.write_ids)[1:${WRITE_IDS_KEPT}], updated_at = clock_timestamp()
      from unnest($1::text[], $2::bigint[], $3::text[], $4::bytea[], $5::text[], $6::bigint[])
          as new (group_id, life, member_id, value, write_id, generation)
        join ${GROUP_OF('new')}
      where held.group_id = new.group_id and held.life = new.life and held.member_id = new.member_id
        and held.generation = new.generation and clock_timestamp() < to_timestamp($7::float8)
      returning new.write_id`,
  },
  fenceAbsent: {
    name: 'cohort_member_fence_absent',
    text: `
      insert into cohort.group_member (group_id, life, member_id, value, generation, write_ids, updated_at)
      select $1::text, $2::bigint, $3::text, null, 1, array[$4::text], clock_timestamp()
      where clock_timestamp() < to_timestamp($5::float8)
      on conflict (group_id, life, member_id) do nothing`,
  },
  fenceRow: {
    name: 'cohort_member_fence_row',
    text: `
      update cohort.group_member
      set generation = generation + 1, write_ids = ($4::text || write_ids)[1:${WRITE_IDS_KEPT}]
      where group_id = $1 and life = $2 and member_id = $3 and generation = $5
        and clock_timestamp() < to_timestamp($6::float8)`,
  },
}

/** No row: there is no such group. $1: the id of the group; $2: the id of the member. */
export const MEMBER_AND_GROUP: Statement = {
  name: 'cohort_member_and_group',
  text: `
    select alive.life, member.value, member.generation, member.write_ids
    from cohort.register as alive
      left join cohort.group_member as member
        on member.group_id = $1 and member.life = alive.life and member.member_id = $2
    where alive.key = 'group/' || $1 and alive.value is not null`,
}

/**
 * No row: there is no such group. A row without a member: it has no more. $1: the id of the group; $2: the id
 * of a member that comes before; $3: how many.
 */
export const MEMBERS_OF_GROUP: Statement = {
  name: 'cohort_members_of_group',
  text: `
    select found.member_id, found.value
    from cohort.register as alive
      left join lateral (
        select member_id, value from cohort.group_member as member
        where member.group_id = $1 and member.life = alive.life and member.member_id > $2
          and member.value is not null
        order by member.member_id limit $3) as found on true
    where alive.key = 'group/' || $1 and alive.value is not null
    order by found.member_id`,
}

/**
 * $1: the id of the member; $2: the first id of a group; $3: one that comes before; $4: the first one after;
 * $5: how many.
 */
export const GROUPS_OF_MEMBER: Statement = {
  name: 'cohort_groups_of_member',
  text: `
    select member.group_id, member.member_id, member.value
    from cohort.group_member as member join ${GROUP_OF('member')}
    where member.member_id = $1 and member.group_id >= $2 and member.group_id > $3 and member.group_id < $4
      and member.value is not null
    order by member.group_id limit $5`,
}

/** A key that comes before those of all rows of members. */
export const BEFORE_ALL_MEMBERS: readonly string[] = ['', '-1', '']

/** $1 to $3: the key of a row that comes before; $4: how many. */
export const ALL_MEMBERS: Statement = {
  name: 'cohort_all_members',
  text: `
    select member.group_id, member.life, member.member_id, member.value
    from cohort.group_member as member join ${GROUP_OF('member')}
    where (member.group_id, member.life, member.member_id) > ($1, $2, $3) and member.value is not null
    order by member.group_id, member.life, member.member_id limit $4`,
}
