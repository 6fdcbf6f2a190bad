import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeGroup, encodeGroup } from '../../group/group-codec.ts'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { aNode, anAccept, aTransport, recordOf } from '../../testing/node-service.ts'
import { readNode } from './read-node.ts'

const TIME = '2026-01-01T00:00:00.000Z'

test('groups of the largest size are read from a node, hundreds of them', async (t) => {
  const { address, store } = await aNode(t)
  const labels = { much: 'x'.repeat(90_000) }
  const groupIds = Array.from({ length: 300 }, (_, index) => `g${index}`)
  store.transaction(() => {
    const times = { createdAt: TIME, updatedAt: TIME }
    for (const groupId of groupIds) {
      const key = `group/${groupId}`
      const value = encodeGroup({ groupId, labels, version: 1, incarnation: 'i', ...times })
      store.save(key, EMPTY_RECORD, recordOf(anAccept(key, value)))
    }
    const members = [{ nodeId: store.nodeId, address }]
    store.saveMembership({ clusterId: 'c', epoch: 1, members, tombstoneGraceMs: 3_600_000 })
  })
  const found: (string | undefined)[] = []
  await readNode({
    transport: aTransport(t, address),
    wanted: [...groupIds, 'away'].map((groupId, number) => ({ number, key: `group/${groupId}` })),
    check: () => undefined,
    onValue: (number, value) => {
      const group = value && decodeGroup(value)
      found[number] = group && `${group.groupId} ${group.labels?.much?.length}`
    },
  })
  assert.deepEqual(found, [...groupIds.map((groupId) => `${groupId} 90000`), undefined])
})
