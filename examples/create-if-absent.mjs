/**
 * Creates a group unless it exists, and knows at the end whether this call created it.
 *
 *   node examples/create-if-absent.mjs GROUP_ID
 *
 * Of many simultaneous creates exactly one gets 201. But the 201 can be lost on the way to the client, and a
 * repeated create then gets 409. So the group has a label that only this call can have written.
 */
import { randomUUID } from 'node:crypto'
import { groupPath, pause, send } from './client.mjs'

async function createIfAbsent(groupId) {
  const createdBy = randomUUID()
  for (let attempt = 0; ; attempt += 1) {
    const created = await send('POST', '/v1/group', {
      body: { groupId, labels: { 'created-by': createdBy } },
    })
    if (created.outcome === 'done') return { group: created.body, isMine: true }
    if (created.code === 'group_exists') {
      const found = await send('GET', groupPath(groupId))
      if (found.outcome === 'done') {
        return { group: found.body, isMine: found.body.labels?.['created-by'] === createdBy }
      }
      // group_not_found: another client has deleted the group meanwhile. Otherwise the read got no answer. In
      // both cases, begin again.
    } else if (created.outcome === 'refused') {
      throw new Error(`${created.code}: ${created.detail}`)
    }
    // not_applied or unknown. In both cases the create can be repeated safely: a group is created only once,
    // and the label tells by which call.
    await pause(attempt)
  }
}

const [groupId] = process.argv.slice(2)
if (groupId === undefined) throw new Error('usage: create-if-absent.mjs GROUP_ID')
const { group, isMine } = await createIfAbsent(groupId)
console.log(isMine ? `created ${group.groupId}` : `${group.groupId} was there, since ${group.createdAt}`)
