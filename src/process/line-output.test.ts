import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineOutput } from './line-output.ts'

/** A destination that fails while it is told to. */
function aDestination() {
  const written: string[] = []
  const destination = {
    isFull: false,
    write: (text: string) => {
      if (destination.isFull) throw new Error('no space left on device')
      written.push(text)
    },
  }
  return { destination, written }
}

test('lines that cannot be written are dropped, counted, and told of when there is room again', () => {
  const { destination, written } = aDestination()
  const lines = new LineOutput(destination, (count) => `${count} are missing\n`)
  lines.write('a\n')
  destination.isFull = true
  for (const line of ['b\n', 'c\n', 'd\n']) lines.write(line)
  assert.equal(lines.droppedCount, 3)
  destination.isFull = false
  lines.write('e\n')
  lines.write('f\n')
  assert.deepEqual(written, ['a\n', '3 are missing\n', 'e\n', 'f\n'])
  assert.equal(lines.droppedCount, 3)
})

test('a line that turns out to be lost after it was written is counted too', () => {
  const lost: (() => void)[] = []
  const written: string[] = []
  const write = (text: string, onLost?: () => void) => {
    written.push(text)
    if (onLost !== undefined) lost.push(onLost)
  }
  const lines = new LineOutput({ write }, (count) => `${count} are missing\n`)
  lines.write('a\n')
  lines.write('b\n')
  for (const onLost of lost) onLost()
  assert.equal(lines.droppedCount, 2)
  lines.write('c\n')
  assert.deepEqual(written, ['a\n', 'b\n', '2 are missing\n', 'c\n'])
})

test('each gap is told of once, with its own count', () => {
  const { destination, written } = aDestination()
  const lines = new LineOutput(destination, (count) => `${count} are missing\n`)
  for (const text of ['1', '2']) {
    destination.isFull = true
    lines.write('lost\n')
    destination.isFull = false
    lines.write(`${text}\n`)
  }
  assert.deepEqual(written, ['1 are missing\n', '1\n', '1 are missing\n', '2\n'])
})

test('a line that is lost after its gap was told of is counted anew', () => {
  const written: string[] = []
  let room = 0
  const destination = {
    write: (text: string) => {
      if (room === 0) throw new Error('no space left on device')
      room -= 1
      written.push(text)
    },
  }
  const lines = new LineOutput(destination, (count) => `${count} are missing\n`)
  lines.write('a\n')
  room = 1
  lines.write('b\n')
  room = 2
  lines.write('c\n')
  assert.deepEqual(written, ['1 are missing\n', '1 are missing\n', 'c\n'])
  assert.equal(lines.droppedCount, 2)
})
