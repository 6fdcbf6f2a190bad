import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { CLUSTER_EXAMPLE, REPLICAS_EXAMPLE } from '../../api/status-examples.ts'
import type { ClusterStatus } from '../../api/status-schemas.ts'
import { replicaLines } from './replica-lines.ts'
import { statusLines } from './status-lines.ts'
import { folded, painter } from './table.ts'

const plain = { paint: painter(false) }

test('the verdict and its reason come first, then a line for each member, in columns', () => {
  assert.deepEqual(statusLines(CLUSTER_EXAMPLE, plain), [
    'DEGRADED  2 of 3 nodes answer, which is enough, but none of them may fail (no answer from 127.0.0.1:8003).',
    '',
    'cluster 0f2b7c51-8d0e-4b55-9f3a-4c8d1a6e7b90  epoch 1',
    '',
    'address         state        p50 ms  p99 ms  lag  records  tombstones  stubs  epoch  version  node id',
    '127.0.0.1:8001  up              0.8     3.1    0   12,345          17      0      1  0.1.0    7f9c24e0-2f1b-4d0a-8c37-5b6d1e9a0c44',
    '127.0.0.1:8002  up              0.8     3.1    0   12,345          17      0      1  0.1.0    b1d5c0a7-93e4-4a6e-b0d9-1f7a2c8e3d55',
    '127.0.0.1:8003  UNREACHABLE       ?       ?    ?        ?           ?      ?      ?  ?        e4a8f3c2-6b07-4f9d-a1c5-8d2e7b904f66',
    '',
    '127.0.0.1:8003: It does not answer.',
  ])
})

test('a joining node shows how far it is, a slow one that it is slow, a divergence its keys', () => {
  const [first, second] = CLUSTER_EXAMPLE.members
  const status: ClusterStatus = {
    ...CLUSTER_EXAMPLE,
    members: [
      { ...first!, role: 'joining', progress: 0.419 },
      { ...second!, suspect: true },
    ],
    divergences: {
      count: 3,
      first: [
        {
          key: 'group/a\u001b[2J',
          ballot: { round: 1, proposerId: 0, text: '1.fast' },
          nodeIds: ['n1', 'n2'],
        },
      ],
    },
  }
  const text = statusLines(status, plain).join('\n')
  assert.match(text, /^127.0.0.1:8001 {2}joining 41 % /m)
  assert.match(text, /^127.0.0.1:8002 {2}slow /m)
  assert.match(text, /^DIVERGENCE: /m)
  assert.ok(text.includes('  group/a\\u001b[2J  at ballot 1.fast, on n1 and n2\n  and 2 more'), text)
})

test('a notice is a line of its own, and an older connector sends none', () => {
  const notices = ['The certificate of the API expires in 3 days.']
  assert.deepEqual(statusLines({ ...CLUSTER_EXAMPLE, notices }, plain).slice(-2), ['', notices[0]])
  const { notices: _none, ...older } = CLUSTER_EXAMPLE
  assert.deepEqual(statusLines(older as ClusterStatus, plain), statusLines(CLUSTER_EXAMPLE, plain))
})

test('colours are used only on a terminal, and say nothing that the words do not', () => {
  const coloured = statusLines(CLUSTER_EXAMPLE, { paint: painter(true) }).join('\n')
  const bare = statusLines(CLUSTER_EXAMPLE, plain).join('\n')
  assert.ok(!bare.includes('\u001b'))
  assert.ok(coloured.includes('\u001b[33mDEGRADED\u001b[0m'))
  assert.equal(stripVTControlCharacters(coloured), bare)
})

test('replicas are a line for each node, with what it holds', () => {
  assert.deepEqual(replicaLines(REPLICAS_EXAMPLE, plain.paint).slice(0, 4), [
    'INCOMPLETE  The 2 nodes that answer hold the same state, version 1; 1 node does not answer.',
    '',
    'address         holds        version  generation  ballot  chosen  promised  write id    node id',
    '127.0.0.1:8001  group              1           1  1.fast  yes     2.fast    1234567.42  7f9c24e0-2f1b-4d0a-8c37-5b6d1e9a0c44',
  ])
})

test('in a narrow terminal the verdict is wrapped, and the least important columns are left out', () => {
  assert.deepEqual(statusLines(CLUSTER_EXAMPLE, { ...plain, columns: 59 }), [
    'DEGRADED  2 of 3 nodes answer, which is enough, but none of',
    'them may fail (no answer from 127.0.0.1:8003).',
    '',
    'cluster 0f2b7c51-8d0e-4b55-9f3a-4c8d1a6e7b90  epoch 1',
    '',
    'address         state        p50 ms  p99 ms  lag  records',
    '127.0.0.1:8001  up              0.8     3.1    0   12,345',
    '127.0.0.1:8002  up              0.8     3.1    0   12,345',
    '127.0.0.1:8003  UNREACHABLE       ?       ?    ?        ?',
    '',
    '127.0.0.1:8003: It does not answer.',
  ])
})

test('no line is wider than the terminal, as long as the address and the state fit', () => {
  for (let columns = 28; columns < 200; columns += 1) {
    const lines = statusLines(CLUSTER_EXAMPLE, { paint: painter(true), columns })
    for (const line of lines) {
      assert.ok(stripVTControlCharacters(line).length <= columns, `${columns}: ${line}`)
    }
    assert.ok(lines[0]!.includes('\u001b[33mDEGRADED\u001b[0m'))
    assert.ok(lines.some((line) => line.includes('UNREACHABLE')))
  }
})

test('a word that is longer than a line is broken, and no text is lost', () => {
  assert.deepEqual(folded('ab cdefgh i', 4), ['ab', 'cdef', 'gh i'])
  assert.deepEqual(folded('', 4), [''])
})
