/**
 * Host 3: the panel in a plain web page that `voice-kernel serve` serves, without Jupyter around it.
 *
 * Responsible for the page's own few words and for the token that its address holds; the panel does the rest.
 */
import { Access, HttpChannel } from './http';
import { mount } from './panel/mount';
import './page.css';

const place = document.getElementById('panel');
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
if (token) {
  // Out of sight and out of the history: whoever has it may do everything here.
  history.replaceState(null, '', location.pathname + location.search);
}

function refused(): void {
  if (place) {
    const told = document.createElement('p');
    told.className = 'vk-page-refused';
    told.role = 'alert';
    told.textContent = 'This page needs the token of its server: open the address that voice-kernel serve has printed.';
    place.replaceChildren(told);
  }
}

if (place) {
  const access = new Access(token);
  access.secret().then(
    () => mount(place, { channel: new HttpChannel(access, refused), view: 'panel', turnId: 0, kind: 'widget', cells: false }),
    refused
  );
}
