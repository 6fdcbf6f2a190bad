import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { LateAnswerError, newClient, Session } from './session.ts'

const STATEMENT = { name: 'one', text: 'select 1' }
const ABOUT = { address: 'a:1', timeline: 1, systemId: 's', serverMs: 500_000 }

/** A session on a connection that answers when the test says so. */
function aSession() {
  const clock = new ManualClock()
  const asked: object[] = []
  const answers: ((answer: object) => void)[] = []
  const counts = { destroyed: 0, ended: 0 }
  const client = {
    query: (config: object) => {
      asked.push(config)
      return new Promise<object>((resolve) => void answers.push(resolve))
    },
    connection: { stream: { destroy: () => counts.destroyed++ } },
    end: async () => {
      counts.ended += 1
    },
  }
  clock.advance(2_000)
  return { session: new Session(client as never, clock, ABOUT), clock, asked, answers, counts }
}

test('a statement that is answered leaves no timer, and the session goes on', async () => {
  const { session, clock, asked, answers, counts } = aSession()
  const running = session.run(STATEMENT, ['v'], 1_000)
  clock.advance(999)
  answers[0]!({ rows: [], rowCount: 0 })
  assert.deepEqual(await running, { rows: [], rowCount: 0 })
  assert.deepEqual(asked, [{ ...STATEMENT, values: ['v'] }])
  assert.deepEqual([clock.taskCount, session.broken, counts.destroyed], [0, undefined, 0])
})

test('a statement that is not answered in time ends with its connection, so that nothing waits on it', async () => {
  const { session, clock, counts } = aSession()
  const running = session.run(STATEMENT, [], 1_000)
  clock.advance(1_000)
  await assert.rejects(running, LateAnswerError)
  assert.ok(session.broken instanceof LateAnswerError)
  assert.deepEqual([clock.taskCount, counts.destroyed, counts.ended], [0, 1, 1])
})

test('a confirmation during which the server warned is none', async () => {
  const { session, answers } = aSession()
  const confirmed = session.confirm(1_000)
  session.warningCount += 1
  answers[0]!({ rows: [], rowCount: 1 })
  await assert.rejects(confirmed, LateAnswerError)
})

test('times are told to the server by its own clock, in seconds', () => {
  const { session, clock } = aSession()
  assert.equal(session.serverSeconds(clock.nowMs() + 3_000), 503)
})

test('a connection is made within its time, keeps itself alive, and says whose it is', () => {
  const client = newClient('postgres://u@h:1/d', 1_234)
  const { _connectionTimeoutMillis: limitMs, connectionParameters } = client as unknown as {
    _connectionTimeoutMillis: number
    connectionParameters: { application_name: string; keepalives?: number }
  }
  assert.deepEqual([limitMs, connectionParameters.application_name], [1_234, 'cohort'])
  assert.equal((client as unknown as { connection: { _keepAlive: boolean } }).connection._keepAlive, true)
})

test('a password is asked of the file of PGPASSFILE when neither the URL nor PGPASSWORD has one', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-test-'))
  const file = join(directory, 'pgpass')
  writeFileSync(file, 'h:1:d:u:from the file\n', { mode: 0o600 })
  t.after(() => {
    rmSync(directory, { recursive: true })
    delete process.env.PGPASSFILE
    delete process.env.PGPASSWORD
  })
  process.env.PGPASSFILE = file
  const passwordOf = (url: string) => (newClient(url, 1_000) as unknown as { password: unknown }).password

  assert.equal(passwordOf('postgres://u:in-the-url@h:1/d'), 'in-the-url')
  const ask = passwordOf('postgres://u@h:1/d') as (connection: object) => Promise<string | undefined>
  const connection = { host: 'h', port: 1, database: 'd', user: 'u' }
  assert.equal(await ask(connection), 'from the file')
  assert.equal(await ask({ ...connection, user: 'somebody' }), undefined)
  process.env.PGPASSWORD = 'in the environment'
  assert.equal(passwordOf('postgres://u@h:1/d'), 'in the environment')
})
