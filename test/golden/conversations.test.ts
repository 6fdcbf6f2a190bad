/**
 * Whole conversations as text, one file each. They show the protocol at work. When a change of the core
 * changes a conversation, read the difference line by line, and then write it with
 * `npx node --test --test-update-snapshots test/golden/*.test.ts`.
 */
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { formatConversation } from './conversation.ts'
import { ScriptedCluster } from './scripted-cluster.ts'

function compare(t: TestContext, file: string, cluster: ScriptedCluster): void {
  t.assert.fileSnapshot(formatConversation(cluster.events), join(import.meta.dirname, file), {
    serializers: [(text) => text],
  })
}

test('a duel: two connectors create the same key at once, and exactly one does', (t) => {
  const cluster = new ScriptedCluster(3)
  cluster.note('Ann and Bob create the same key at the same time; the nodes split their votes')
  const ann = cluster.connector('ann', 11)
  const bob = cluster.connector('bob', 22)
  ann.create('red')
  bob.create('blue')
  cluster.deliver({ connector: ann, nodes: [0] })
  cluster.deliver({ connector: bob, nodes: [1, 2] })
  cluster.deliver({ kind: 'request' })
  cluster.note('each hears of the split; both prepare above it, and the higher ballot wins')
  cluster.deliver({ kind: 'answer' })
  cluster.deliver({ connector: ann, kind: 'request' })
  cluster.deliver({ connector: bob, kind: 'request' })
  cluster.deliver({ connector: ann, kind: 'answer' })
  cluster.note('Ann has her promises, but Bob’s came later: her accept is refused')
  cluster.roundTrip({ connector: ann })
  cluster.note(
    'Bob’s first two promises show one vote each: neither was chosen, and the smaller writeId, Ann’s, is the base',
  )
  cluster.settle({ connector: bob })
  cluster.note('Ann comes back, and finds that her first attempt is what was chosen')
  ann.resume()
  cluster.settle()
  compare(t, 'duel.txt', cluster)
})

test('a lost reply: a write whose answers are lost happened once, though a stranger wrote since', (t) => {
  const cluster = new ScriptedCluster(3)
  cluster.note('Ann’s write reaches all nodes; the answers are still on their way')
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  cluster.deliver({ kind: 'request' })
  cluster.note('Bob reads it, makes it known to be chosen, and writes on it')
  const bob = cluster.connector('bob', 22)
  bob.read()
  cluster.settle({ connector: bob })
  bob.append('b')
  cluster.settle({ connector: bob })
  cluster.note('the streams break: Ann does not know whether she was heard, and asks for promises')
  cluster.drop({ connector: ann })
  cluster.deliver({ connector: ann })
  cluster.note('her writeId 11.1 is in the lineage of what she recovers: it happened, and is not done again')
  cluster.settle()
  compare(t, 'lost-reply.txt', cluster)
})

test('a recovery: a connector dies in a fast write, and a reader settles what became of it', (t) => {
  const cluster = new ScriptedCluster(5)
  cluster.note('Ann’s write reaches three of five nodes, too few for a fast ballot, and Ann is gone')
  const ann = cluster.connector('ann', 11)
  ann.create('a')
  cluster.deliver({ nodes: [0, 1, 2] })
  cluster.messages = []
  cluster.note('Bob reads: three votes of five answers do not tell')
  const bob = cluster.connector('bob', 22)
  bob.read()
  cluster.roundTrip()
  cluster.roundTrip({ requests: ['read'] })
  cluster.note('a classic round builds on the most votes, and proposes them unchanged')
  cluster.settle()
  cluster.note('from here on it is known')
  bob.read()
  cluster.settle()
  compare(t, 'recovery.txt', cluster)
})

test('a led key: with a node down, writes still take one round trip of the other two', (t) => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  cluster.note('n3 is stopped in the middle of a fast write; after the hedge time it is suspect')
  ann.append('a')
  cluster.roundTrip({ nodes: [0, 1] })
  ann.suspect(2)
  cluster.settle({ nodes: [0, 1] })
  cluster.note('the key is led: no prepare any more, and a read between the writes changes nothing')
  ann.append('b')
  cluster.settle({ nodes: [0, 1] })
  ann.read()
  cluster.settle({ nodes: [0, 1] })
  cluster.note('n3 is back, takes what was on its way to it, and the next write hands the key back')
  ann.suspect(2, false)
  cluster.settle()
  ann.append('c')
  cluster.settle()
  cluster.note('a fast write again, of anybody')
  ann.append('d')
  cluster.settle()
  compare(t, 'led-key.txt', cluster)
})

test('combining: what waits for one accept leaves in the next, each with its own result', (t) => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  cluster.note('while the first write is on its way, five more operations come')
  ann.create('a')
  ann.append('b')
  ann.create('x')
  ann.read()
  ann.remove()
  ann.create('z')
  cluster.roundTrip()
  cluster.note('one accept carries them all')
  cluster.settle()
  compare(t, 'combining.txt', cluster)
})
