import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdtemp, readFile, rm, truncate } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { test } from 'node:test'
import { DescriptorDestination, StreamDestination } from './destination.ts'

test('a device that is full throws, and goes on to throw', { skip: !existsSync('/dev/full') }, () => {
  const descriptor = openSync('/dev/full', 'w')
  const destination = new DescriptorDestination(descriptor)
  for (let count = 0; count < 3; count += 1) assert.throws(() => destination.write('x\n'), { code: 'ENOSPC' })
  closeSync(descriptor)
})

test('a file takes lines again when there is room, and a line that was cut off is ended first', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-destination-'))
  try {
    const path = join(directory, 'log')
    const descriptor = openSync(path, 'a')
    const module = new URL('destination.ts', import.meta.url).href
    // A limit of 1,024 bytes, in a process of its own. A line of 300 bytes does not fit a fourth time.
    const program = `
      const { DescriptorDestination } = await import(${JSON.stringify(module)})
      const destination = new DescriptorDestination(1)
      const line = (letter) => letter.repeat(299) + '\\n'
      for (const letter of ['a', 'b', 'c', 'd', 'e']) {
        try { destination.write(line(letter)) } catch (error) { process.send(letter + ' ' + error.code) }
      }
      process.send('full')
      process.once('message', () => {
        destination.write(line('f'))
        process.disconnect()
      })
    `
    const script = 'ulimit -f 1; exec "$0" --input-type=module -e "$1"'
    const child = spawn('bash', ['-c', script, process.execPath, program], {
      stdio: ['ignore', descriptor, 'inherit', 'ipc'],
    })
    const messages: unknown[] = []
    child.on('message', (message) => {
      messages.push(message)
      if (message !== 'full') return
      // As a program does that rotates logs.
      void truncate(path, 0).then(() => child.send('there is room'))
    })
    const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(60_000) })
    closeSync(descriptor)
    assert.deepEqual([code, messages], [0, ['d EFBIG', 'e EFBIG', 'full']])
    assert.equal(await readFile(path, 'utf8'), `\n${'f'.repeat(299)}\n`)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('a reader that takes nothing makes writes fail, and none wait', async () => {
  const stream = new PassThrough({ highWaterMark: 1 })
  const destination = new StreamDestination(stream, { pendingBytesMax: 10 })
  destination.write('123456')
  destination.write('123456')
  assert.throws(() => destination.write('1'), /the reader takes nothing/)
  stream.resume()
  await once(stream, 'drain')
  destination.write('again')
})

test('a reader that is gone makes writes fail, and ends nothing', async () => {
  const gone = new Error('write EPIPE')
  const stream = new Writable({ write: (_chunk, _encoding, done) => done(gone) })
  const destination = new StreamDestination(stream, { pendingBytesMax: 10 })
  let lostCount = 0
  destination.write('x', () => {
    lostCount += 1
  })
  await once(stream, 'error')
  assert.equal(lostCount, 1)
  assert.throws(() => destination.write('x'), gone)
  await destination.flush(60_000)
})

test('flush waits for what a slow reader has not taken, and no longer than it may', {
  timeout: 20_000,
}, async () => {
  let isReading = true
  const waiting: (() => void)[] = []
  const stream = new Writable({
    write: (_chunk, _encoding, done) => {
      if (isReading) done()
      else waiting.push(done)
    },
  })
  const destination = new StreamDestination(stream, { pendingBytesMax: 10 })
  assert.equal(await destination.flush(60_000), true)
  isReading = false
  destination.write('x')
  assert.equal(await destination.flush(1), false)
  const flushed = destination.flush(60_000)
  isReading = true
  for (const done of waiting) done()
  assert.equal(await flushed, true)
})

test('flushes leave no listeners behind, also if their time is over', async () => {
  const waiting: (() => void)[] = []
  let isReading = true
  const stream = new Writable({
    write: (_chunk, _encoding, done) => {
      if (isReading) done()
      else waiting.push(done)
    },
  })
  const destination = new StreamDestination(stream)
  const before = stream.listenerCount('error')
  for (let count = 0; count < 20; count += 1) await destination.flush()
  assert.equal(stream.listenerCount('error'), before)
  isReading = false
  for (let count = 0; count < 20; count += 1) assert.equal(await destination.flush(1), false)
  assert.equal(stream.listenerCount('error'), before)
})

test('flush without a limit ends when the reader goes away while it waits', { timeout: 20_000 }, async () => {
  const stream = new Writable({ write: () => undefined })
  const destination = new StreamDestination(stream)
  destination.write('x')
  const flushed = destination.flush()
  stream.destroy(new Error('write EPIPE'))
  await flushed
  assert.match(String(destination.error), /EPIPE/)
})
