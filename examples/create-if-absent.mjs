/**
 * Creates a group unless it exists, and knows at the end whether this call created it.
 *
 *   node examples/create-if-absent.mjs GROUP_ID
 *
 * Of many simultaneous creates exactly one is answered 201. But the 201 can get lost on the way to the
 * client, and the create that follows is then answered 409. So the group carries a label that only this call
 * can have written.
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
      // group_not_found: somebody has deleted it meanwhile. Anything else: the read was not answered. Both
      // begin again.
    } else if (created.outcome === 'refused') {
      throw new Error(`${created.code}: ${created.detail}`)
    }
    // not_applied, or unknown. Repeating a create is safe either way: a group is created once, and the label
    // tells by whom.
    await pause(attempt)
  }
}

const [groupId] = process.argv.slice(2)
if (groupId === undefined) throw new Error('usage: create-if-absent.mjs GROUP_ID')
const { group, isMine } = await createIfAbsent(groupId)
console.log(isMine ? `created ${group.groupId}` : `${group.groupId} was there, since ${group.createdAt}`)
