/** The microphone, as JupyterLab draws icons: it takes its colours from the theme. */
import { LabIcon } from '@jupyterlab/ui-components';

export const microphoneIcon = new LabIcon({
  name: 'voice-kernel:microphone',
  svgstr:
    '<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">' +
    '<path class="jp-icon3" fill="#616161" d="M12 15a4 4 0 0 0 4-4V6a4 4 0 0 0-8 0v5a4 4 0 0 0 4 4z' +
    'm-7-4a1 1 0 0 1 2 0 5 5 0 0 0 10 0 1 1 0 0 1 2 0 7 7 0 0 1-6 6.9V21a1 1 0 0 1-2 0v-3.1A7 7 0 0 1 5 11z"/>' +
    '</svg>'
});
