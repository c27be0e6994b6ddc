/** Every component by its name, as ChatKit's types have them, and our Progress. */
import { Chart } from './chart';
import { Button, Checkbox, Input, RadioGroup, Textarea } from './controls';
import { DatePicker } from './datepicker';
import { enter } from './draw';
import { Icon } from './icons';
import { Image } from './images';
import {
  Basic, Box, Card, Col, Divider, Form, ListView, ListViewItem, Row, Spacer, Table, TableCell, TableRow, Transition
} from './layout';
import { Select } from './select';
import { Badge, Caption, Label, Markdown, Progress, Text, Title } from './text';

enter({ Text, Title, Caption, Badge, Box, Row, Col, Spacer, Divider, Icon, Image, 'Table.Row': TableRow, 'Table.Cell': TableCell }, true);
enter(
  {
    Basic, Button, Card, Chart, Checkbox, DatePicker, Form, Input, Label, ListView, ListViewItem, Markdown,
    Progress, RadioGroup, Select, Table, Textarea, Transition
  },
  false
);
