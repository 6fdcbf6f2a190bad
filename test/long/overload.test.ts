/** What a connector does when it is asked for ten times as much as it can do, and in four other floods. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { tryOverload } from '../cluster/overload/main.ts'

leaveNothing()

/** The memory that a flood may add, in MiB. */
const MEMORY_MAX = 1_024
/** A polite client must have its answers within this time. */
const POLITE_MS_MAX = 1_000

test('floods leave the connector alive, its memory bounded, others served, and its speed as before', async (t) => {
  const { sustainable, sieges, afterwards } = await tryOverload({
    seconds: 30,
    onStep: (step) => t.diagnostic(step),
  })
  for (const { name, flood, polite, memory, contradictions, warnings } of sieges) {
    assert.deepEqual(flood.wrong, [], name)
    assert.deepEqual(contradictions, [], name)
    assert.equal(flood.unanswered, 0, name)
    assert.ok(memory.peak - memory.before < MEMORY_MAX, `${name}: ${JSON.stringify(memory)}`)
    assert.ok(warnings <= 2, `${name}: ${warnings} lines`)
    // A client at the address of the flood is one caller with it.
    assert.ok(polite.otherAddress.p99Ms < POLITE_MS_MAX, `${name}: ${JSON.stringify(polite)}`)
    assert.equal(polite.otherAddress.failed, 0, name)
  }
  // The same load, measured twice in a row, differs by as much on a machine that does other things too.
  for (const speed of afterwards) {
    assert.ok(speed > 0.7 * sustainable, `${speed} creates/s, and ${sustainable} before`)
  }
})
