import { expect, it } from 'vitest';
import { chooseDriver } from '../../src/drivers/drivers.ts';

const works = () => undefined;
const broken = () => 'koffi is not installed';

it('portable is taken where it is asked for, and nothing else is looked at', () => {
  const choice = chooseDriver('portable', () => {
    throw new Error('Looked at');
  });
  expect(choice).toMatchObject({ module: { name: 'portable' }, why: 'the configuration asks for it' });
});

it('uring is taken where it is asked for and works', () => {
  expect(chooseDriver('uring', works)).toMatchObject({ module: { name: 'uring' } });
});

it('nothing is taken where uring is asked for and does not work', () => {
  expect(chooseDriver('uring', broken)).toEqual({ module: undefined, why: 'koffi is not installed' });
});

it('auto is uring where it works, and else portable, which says why', () => {
  expect(chooseDriver('auto', works)).toMatchObject({
    module: { name: 'uring' },
    why: 'io_uring works here',
  });
  expect(chooseDriver('auto', broken)).toMatchObject({
    module: { name: 'portable' },
    why: 'the uring driver does not run here: koffi is not installed',
  });
});
