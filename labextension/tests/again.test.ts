import { describe, expect, it } from 'vitest';
import { argumentsOf, fieldsOf } from '../src/panel/again';

const CALL = {
  arguments: {
    command: 'make docs',
    path: 'tests',
    keyword: null,
    failed_only: false,
    timeout: 120,
    cells: ['3', '5'],
    options: { deep: [1, 2] },
    note: ''
  }
};

describe('run again with changes', () => {
  it('chooses a field for each argument by its value', () => {
    expect(Object.fromEntries(fieldsOf(CALL).map(field => [field.name, field.kind]))).toEqual({
      command: 'long', path: 'text', keyword: 'text', failed_only: 'flag', timeout: 'number', cells: 'list',
      options: 'json', note: 'text'
    });
  });

  it('gives back what it was given when nothing is changed', () => {
    expect(argumentsOf(fieldsOf(CALL), CALL)).toEqual({ arguments: CALL.arguments, errors: new Map() });
  });

  function changed(name: string, value: string) {
    return argumentsOf(fieldsOf(CALL).map(field => (field.name === name ? { ...field, value } : field)), CALL);
  }

  it('reads what was changed in the kind it was', () => {
    expect(changed('failed_only', 'yes').arguments['failed_only']).toBe(true);
    expect(changed('timeout', ' 30 ').arguments['timeout']).toBe(30);
    expect(changed('cells', '1\n\n 2 ').arguments['cells']).toEqual(['1', '2']);
    expect(changed('options', '{"deep": []}').arguments['options']).toEqual({ deep: [] });
    expect(changed('keyword', 'cart').arguments['keyword']).toBe('cart');
    expect(changed('path', '').arguments['path']).toBe('');
  });

  it('says which field does not fit', () => {
    expect([...changed('timeout', 'soon').errors.keys()]).toEqual(['timeout']);
    expect([...changed('timeout', '').errors.keys()]).toEqual(['timeout']);
    expect([...changed('options', '{deep').errors.keys()]).toEqual(['options']);
  });
});
